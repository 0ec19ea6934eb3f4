import { expressionOf, UNUSABLE } from "../model/expression.ts";
import type { ProbeReport } from "../model/probe-report.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { Probe, SecretValues } from "../model/spec-parts.ts";
import { type Look, type LookingProbe, Prober } from "../probes/prober.ts";
import { Steps } from "../probes/steps.ts";
import type { Incarnation } from "./incarnation.ts";
import { LogSnapshot } from "./log-reader.ts";
import type { LogLine } from "./log-record.ts";
import type { LogWriter } from "./log-writer.ts";

/** Looked through for the line that says "ready", when it came before anybody looked. */
const EARLIER_LINES = 1000;

/** What is asked: a probe, and the server that it belongs to. */
export interface Question {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly probe: Probe;
}

/** Asks the probes of one incarnation, for as long as it is held. */
export class Watch {
  readonly #log: LogWriter;
  /** Unix ms: lines before that are of an earlier run. */
  readonly #since: number;
  readonly #report: (message: string) => void;
  readonly #prober: Prober;
  readonly #closing = new AbortController();
  #stopLog: () => void = () => {};

  constructor(incarnation: Incarnation, log: LogWriter, since: number, report: (message: string) => void) {
    this.#log = log;
    this.#since = since;
    this.#report = report;
    this.#prober = new Prober(incarnation, this.#closing.signal);
  }

  /** Asks once, and answers once; a log probe answers when its line comes. */
  async ask(question: Question, answered: (look: Look) => void): Promise<void> {
    const { probe } = question;
    if (probe.type === "none") return;
    if (probe.type === "log") return this.#awaitLine(probe.pattern, answered);
    const look = await this.#look(question, probe);
    if (look && !this.#closing.signal.aborted) answered(look);
  }

  /** Asks for a person, who waits for the answer: a line of output that has not come is missing. */
  async askNow({ spec, secrets, probe }: Question): Promise<ProbeReport> {
    const steps = new Steps();
    if (probe.type === "none") return steps.good("none", "its program runs; there is no other check");
    if (probe.type !== "log") return this.#prober.look(spec, probe, secrets);
    const expression = expressionOf(probe.pattern);
    if (expression === undefined) return steps.bad("log", UNUSABLE);
    const line = this.#earlierLine(expression);
    if (line) return steps.good("log", printed(line));
    return steps.bad("log", `none of the last ${EARLIER_LINES} lines of this run matches ${probe.pattern}`);
  }

  close(): void {
    this.#closing.abort();
    this.#stopLog();
  }

  /**
   * A check that cannot be made says nothing about the server, and must not end it: it is made again, until it can be
   * or the run is over.
   */
  async #look({ spec, secrets }: Question, probe: LookingProbe): Promise<Look | undefined> {
    for (let told = false; !this.#closing.signal.aborted; told = true) {
      try {
        return await this.#prober.look(spec, probe, secrets);
      } catch (error) {
        if (!told) this.#report(`cannot make its ${probe.type} check: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, probe.interval).unref());
      }
    }
    return undefined;
  }

  /** Waits for a line of this run that matches, also among those written before now. */
  #awaitLine(pattern: string, answered: (look: Look) => void): void {
    this.#stopLog();
    try {
      const expression = expressionOf(pattern);
      const tell = (line: LogLine) => answered({ ok: true, evidence: printed(line), steps: [] });
      const earlier = expression && this.#earlierLine(expression);
      if (expression === undefined) answered({ ok: false, evidence: UNUSABLE, steps: [] });
      else if (earlier) setImmediate(tell, earlier);
      else this.#listen(expression, tell);
    } catch (error) {
      answered({ ok: false, evidence: `cannot look at the log: ${String(error)}`, steps: [] });
    }
  }

  #earlierLine(expression: RegExp): LogLine | undefined {
    const snapshot = new LogSnapshot(this.#log.dir);
    try {
      const lines = snapshot.lastLines({ tail: EARLIER_LINES, since: this.#since });
      return lines.find((line) => expression.test(textOf(line)));
    } finally {
      snapshot.close();
    }
  }

  #listen(expression: RegExp, tell: (line: LogLine) => void): void {
    this.#stopLog = this.#log.onLine((line) => {
      if (!expression.test(textOf(line))) return;
      this.#stopLog();
      tell(line);
    });
  }
}

const textOf = (line: LogLine) => line.bytes.toString("utf8");
const printed = (line: LogLine) => `printed: ${textOf(line)}`;
