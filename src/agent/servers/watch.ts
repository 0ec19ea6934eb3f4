import { type Expression, LONGEST_MATCHED, understood, unusable } from "../../model/expression.ts";
import type { ProbeReport } from "../../model/probe-report.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { Probe, SecretValues } from "../../model/spec-parts.ts";
import { type Look, type LookingProbe, Prober } from "../../probes/prober.ts";
import { Steps } from "../../probes/steps.ts";
import { firstMatch, LineSearch } from "../logs/line-search.ts";
import { LogSnapshot } from "../logs/log-reader.ts";
import type { LogLine } from "../logs/log-record.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import type { Incarnation } from "../runs/incarnation.ts";

/** Looked through for the line that says "ready", when it came before anybody looked. */
const EARLIER_LINES = 1000;

/** How much longer than its timeout a look may take, ms: a session is ended, and a machine is busy. */
const SLACK = 1000;

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
  /** The look that is under way for each probe, which somebody has asked for last. */
  readonly #looking = new Map<Probe, Promise<unknown>>();

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
    const looking = this.#look(question, probe).then((look) => {
      if (look && !this.#closing.signal.aborted) answered(look);
    });
    this.#looking.set(probe, looking);
    await looking;
    if (this.#looking.get(probe) === looking) this.#looking.delete(probe);
  }

  /**
   * Settles when the look that is under way for this probe was answered, and at once when there is none. What was seen
   * before it began may be long out of date.
   */
  async answerTo(probe: Probe): Promise<void> {
    const looking = this.#looking.get(probe);
    if (looking === undefined || probe.type === "none" || probe.type === "log") return;
    // One that cannot be made is made again and again.
    await within(looking, probe.timeout + SLACK);
  }

  /** Asks for a person, who waits for the answer: a line of output that has not come is missing. */
  async askNow({ spec, secrets, probe }: Question): Promise<ProbeReport> {
    const steps = new Steps();
    if (probe.type === "none") return steps.good("none", "its program runs; there is no other check");
    if (probe.type !== "log") return this.#prober.look(spec, probe, secrets);
    const pattern = await understood(probe.pattern);
    if (!pattern.ok) return steps.bad("log", unusable(pattern.fault));
    const line = await firstMatch(pattern.expression, this.#lastLines(EARLIER_LINES));
    if (line !== undefined) return steps.good("log", printed(line));
    return steps.bad("log", `none of the last ${EARLIER_LINES} lines of this run matches ${probe.pattern}`);
  }

  /** What its bridge tells now, if it has one. Never rejects. */
  async askBridge(spec: ServerSpec, secrets: SecretValues): Promise<ProbeReport | undefined> {
    return this.#prober.askBridge(spec, secrets).catch(() => undefined);
  }

  /** The line of this run that matches, among the last ones that it printed. Never rejects. */
  async lastLook(pattern: string): Promise<string | undefined> {
    const known = await understood(pattern);
    if (!known.ok) return undefined;
    const line = await firstMatch(known.expression, this.#lastLinesOrNone(EARLIER_LINES));
    return line === undefined ? undefined : printed(line);
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
        if (!told) this.#report(`cannot run its ${probe.type} probe: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, probe.interval).unref());
      }
    }
    return undefined;
  }

  /** Waits for a line of this run that matches, also among those written before now. */
  async #awaitLine(pattern: string, answered: (look: Look) => void): Promise<void> {
    this.#stopLog();
    let isOver = false;
    this.#stopLog = () => {
      isOver = true;
    };
    const known = await understood(pattern);
    if (isOver) return;
    const never = (evidence: string) => answered({ ok: false, evidence, steps: [], unknowable: true });
    if (!known.ok) return never(unusable(known.fault));
    try {
      this.#listen(known.expression, (line) => answered({ ok: true, evidence: printed(line), steps: [] }));
    } catch (error) {
      never(`cannot read the log: ${String(error)}`);
    }
  }

  /** What is in the log now, and then each line that comes: none twice, none lost. */
  #listen(expression: Expression, tell: (line: string) => void): void {
    const search = new LineSearch(
      expression,
      (count) => this.#lastLinesOrNone(Math.min(count, EARLIER_LINES)),
      (line) => {
        this.#stopLog();
        tell(line);
      },
    );
    for (const line of this.#lastLines(EARLIER_LINES)) search.take(line);
    const stop = this.#log.onLine((line) => search.take(textOf(line)));
    this.#stopLog = () => {
      stop();
      search.end();
    };
  }

  #lastLinesOrNone(tail: number): string[] {
    try {
      return this.#lastLines(tail);
    } catch (error) {
      this.#report(`cannot read its log: ${String(error)}`);
      return [];
    }
  }

  /** Of this run, at most so many. */
  #lastLines(tail: number): string[] {
    const snapshot = new LogSnapshot(this.#log.dir);
    try {
      return snapshot.lastLines({ tail, since: this.#since }).map(textOf);
    } finally {
      snapshot.close();
    }
  }
}

/** What of a line may be matched. */
const textOf = (line: LogLine) =>
  line.bytes.toString("utf8", 0, Math.min(line.bytes.length, LONGEST_MATCHED));
const printed = (line: string) => `printed: ${line}`;

async function within(event: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, bound]);
  clearTimeout(timer);
}
