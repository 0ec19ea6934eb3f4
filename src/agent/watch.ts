import type { Probe, ServerSpec } from "../model/spec.ts";
import type { Answer } from "../supervisor/probes.ts";
import type { Incarnation } from "./incarnation.ts";
import { LogSnapshot } from "./log-reader.ts";
import type { LogLine } from "./log-record.ts";
import type { LogWriter } from "./log-writer.ts";
import { Prober } from "./prober.ts";

/** Looked through for the line that says "ready", when it came before anybody looked. */
const EARLIER_LINES = 1000;

/** Asks the probes of one incarnation, for as long as it is held. */
export class Watch {
  readonly #log: LogWriter;
  /** Unix ms: lines before that are of an earlier run. */
  readonly #since: number;
  readonly #report: (message: string) => void;
  readonly #prober: Prober;
  #stopLog: () => void = () => {};
  #closed = false;

  constructor(incarnation: Incarnation, log: LogWriter, since: number, report: (message: string) => void) {
    this.#log = log;
    this.#since = since;
    this.#report = report;
    this.#prober = new Prober(incarnation);
  }

  /** Asks once, and answers once; a log probe answers when its line comes. */
  async ask(spec: ServerSpec, probe: Probe, answered: (answer: Answer) => void): Promise<void> {
    if (probe.type === "log") this.#awaitLine(probe.pattern, answered);
    if (probe.type === "tcp") {
      const answer = await this.#tcp(spec, probe);
      if (answer) answered(answer);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopLog();
  }

  /**
   * A check that cannot be made says nothing about the server, and must not end it: it is made again, until it can be
   * or the run is over.
   */
  async #tcp(spec: ServerSpec, probe: Extract<Probe, { type: "tcp" }>): Promise<Answer | undefined> {
    for (let told = false; !this.#closed; told = true) {
      try {
        return await this.#prober.tcp(spec, probe);
      } catch (error) {
        if (!told) this.#report(`${spec.name}: cannot look at port ${probe.port}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, probe.interval).unref());
      }
    }
    return undefined;
  }

  /** Waits for a line of this run that matches, also among those written before now. */
  #awaitLine(pattern: string, answered: (answer: Answer) => void): void {
    this.#stopLog();
    try {
      const expression = new RegExp(pattern);
      const matches = (line: LogLine) => expression.test(line.bytes.toString("utf8"));
      const tell = (line: LogLine) =>
        answered({ ok: true, evidence: `printed: ${line.bytes.toString("utf8")}` });
      const earlier = this.#earlierLines().find(matches);
      if (earlier) setImmediate(tell, earlier);
      else this.#listen(matches, tell);
    } catch (error) {
      answered({ ok: false, evidence: `cannot look at the log: ${String(error)}` });
    }
  }

  #earlierLines(): LogLine[] {
    const snapshot = new LogSnapshot(this.#log.dir);
    try {
      return snapshot.lastLines({ tail: EARLIER_LINES, since: this.#since });
    } finally {
      snapshot.close();
    }
  }

  #listen(matches: (line: LogLine) => boolean, tell: (line: LogLine) => void): void {
    this.#stopLog = this.#log.onLine((line) => {
      if (!matches(line)) return;
      this.#stopLog();
      tell(line);
    });
  }
}
