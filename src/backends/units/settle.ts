import { understood } from "../../model/expression.ts";
import { formatExit } from "../../model/observed.ts";
import type { Patience } from "../../model/patience.ts";
import type { McpFacts } from "../../model/probe-report.ts";
import type { ProcessId } from "../../model/process.ts";
import { Redactor } from "../../model/redact.ts";
import { earlyEnd, hasToBeReady } from "../../model/start.ts";
import {
  type GivenUp,
  givenUpText,
  isToTell,
  runsText,
  type StartProgress,
  startHelp,
  TELL_GAP,
} from "../../model/start-report.ts";
import { formatDuration } from "../../model/units.ts";
import { identify, startedAt } from "../../system/processes.ts";
import type { Condition } from "../backend.ts";
import { type LogLine, pause } from "../log-lines.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";
import { lookAt } from "./readiness.ts";
import type { UnitRecord } from "./record.ts";
import { UnitSigns } from "./unit-signs.ts";

/** Waiting until a server that was started is what is asked of it. */

/** A person's word wins over an apply. */
export const HELD = "it was told to stop meanwhile";

export type Settled =
  | {
      readonly ok: true;
      readonly detail: string;
      readonly process?: ProcessId;
      /** It was ready, and has ended. */
      readonly wasReady?: boolean;
      readonly ready?: NonNullable<UnitRecord["ready"]>;
    }
  | UnSettled;

export interface UnSettled {
  readonly ok: false;
  readonly message: string;
  /** Which settings would help. */
  readonly help?: readonly string[];
  /** It missed its start-timeout: such a process is ended. */
  readonly isLate?: true;
  /** The run that failed last, when another one was begun after it. */
  readonly failedRun?: RunTimes;
}

/** Unix ms between which a run was. */
interface RunTimes {
  readonly from: number;
  readonly to: number;
}

interface Wait {
  readonly manager: UnitManager;
  readonly unit: Unit;
  readonly record: UnitRecord;
  readonly output: Output;
  readonly until: Condition;
  readonly patience: Patience;
  /** Longest time from the start of a process until it is ready, ms; absent: nobody keeps to that. */
  readonly startTimeout?: number;
  readonly tell?: ((progress: StartProgress) => void) | undefined;
  readonly dir: string;
  /** Nobody has told it to stop meanwhile. */
  readonly isWanted: () => boolean;
  readonly signal: AbortSignal;
}

/** How long without another check a program has to run, to count as up, ms. */
const UP = 1000;
/** Between two looks, ms: they begin often, since most servers are up soon. */
const FIRST_GAP = 40;
const LONGEST_GAP = 1000;
/** A manager that was told to start something may take so long to begin, ms. */
const BEGIN_BOUND = 5000;

/** Settles when it is so, when it failed or ended, or when the patience is at its end. */
export async function settle(wait: Wait): Promise<Settled> {
  const { manager, unit, signal, patience } = wait;
  const began = performance.now();
  const watch = new StartWatch(wait, Date.now());
  const signs = patience.whileProgress ? new UnitSigns(manager, unit, wait.output) : undefined;
  const bound = began + patience.ms + patience.slack;
  for (let gap = FIRST_GAP; ; gap = Math.min(gap * 1.5, LONGEST_GAP)) {
    const live = (await manager.look([unit])).get(unit.spec.name);
    const settled = live && (await watch.take(live));
    if (settled?.ok) return settled;
    if (!wait.isWanted()) return { ok: false, message: HELD };
    if (settled) return { ...settled, ...watch.facts() };
    if (signal.aborted) return { ok: false, message: "interrupted" };
    const late = watch.late();
    if (late !== undefined) return late;
    const waited = performance.now() - began;
    const isSilent = await signs?.areOver(live?.pid);
    if (isSilent || performance.now() >= bound)
      return watch.givenUp({ how: isSilent ? "silent" : "over", waited, patience });
    await watch.tell(waited);
    await pause(Math.min(gap, Math.max(0, bound - performance.now())), signal);
  }
}

class StartWatch {
  readonly #wait: Wait;
  readonly #began: number;
  /**
   * The process that was seen last; when first, of a clock that nobody sets; and unix ms of its start. `isOver`: it is
   * known to have ended.
   */
  #process:
    | { readonly id: ProcessId; readonly since: number; readonly startedAt: number; isOver: boolean }
    | undefined;
  #restarts = 0;
  #lastFailure: string | undefined;
  #failedRun: RunTimes | undefined;
  #told: StartProgress | undefined;
  /** What was seen last. */
  last = "it does not run";

  constructor(wait: Wait, began: number) {
    this.#wait = wait;
    this.#began = began;
  }

  async take(live: Live): Promise<Settled | undefined> {
    this.#note(live);
    switch (live.state) {
      case "failed":
        return { ok: false, message: `failed: ${live.reason ?? "reason unknown"}` };
      case "stopped":
        return this.#stopped(live);
      case "running":
        return this.#running(live);
      case "starting":
      case "restarting":
      case "stopping":
        this.last = live.reason === undefined ? live.state : `${live.state}: ${live.reason}`;
        return undefined;
    }
  }

  /** Which process is there now, and what became of those before. */
  #note({ pid, lastExit }: Live): void {
    const before = this.#process;
    const id = pid === undefined ? undefined : identify(pid);
    const isSame = id !== undefined && before?.id.pid === id.pid && before.id.start === id.start;
    const isNews = lastExit && lastExit.requested !== true && lastExit.at >= this.#wait.output.since - 1000;
    if (isNews) this.#lastFailure = formatExit(lastExit.exit);
    if (before && !isSame && !before.isOver) {
      before.isOver = true;
      this.#lastFailure = formatExit(isNews ? lastExit.exit : { kind: "unknown" });
      this.#failedRun = undefined;
    }
    if (id === undefined || isSame) return;
    const startedAtNow = startedAt(id.pid) ?? Date.now();
    if (before) {
      this.#restarts++;
      this.#failedRun = { from: before.startedAt, to: startedAtNow };
      this.#wait.output.beginRun(startedAtNow);
    }
    this.#process = { id, since: performance.now(), startedAt: startedAtNow, isOver: false };
  }

  /** Of the runs up to now; empty when none has failed. */
  #runs(): string {
    const failed = this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure };
    return runsText({ restarts: this.#restarts, ...failed });
  }

  facts(givenUp?: GivenUp): Pick<UnSettled, "help" | "failedRun"> {
    const isUp = this.#process !== undefined && !this.#process.isOver;
    const { spec } = this.#wait.record;
    const help = startHelp({ spec, evidence: isUp ? this.last : undefined, givenUp });
    return {
      ...(help.length === 0 ? {} : { help }),
      ...(this.#failedRun ? { failedRun: this.#failedRun } : {}),
    };
  }

  givenUp(how: GivenUp): UnSettled {
    const message = `${givenUpText(this.#wait.until, how)}: ${this.last}${this.#runs()}`;
    return { ok: false, message, ...this.facts(how) };
  }

  /** It has had all the time that its start may take. */
  late(): UnSettled | undefined {
    const { startTimeout, until } = this.#wait;
    const process = this.#process;
    if (startTimeout === undefined || until !== "ready" || process === undefined || process.isOver)
      return undefined;
    const waited = performance.now() - process.since;
    if (waited < startTimeout) return undefined;
    const patience: Patience = { ms: startTimeout, slack: 0, whileProgress: true, by: "start-timeout" };
    return { ...this.givenUp({ how: "over", waited, patience }), isLate: true };
  }

  async tell(waited: number): Promise<void> {
    const { tell, output, patience } = this.#wait;
    if (tell === undefined || waited < TELL_GAP) return;
    const lastLine = await output.lastLine();
    const progress: StartProgress = {
      ...{
        waitedMs: Math.round(waited),
        boundMs: patience.ms,
        evidence: this.last,
        restarts: this.#restarts,
      },
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
      ...(lastLine === undefined ? {} : { lastLine }),
    };
    if (!isToTell(this.#told, progress)) return;
    this.#told = progress;
    tell(progress);
  }

  async #stopped({ lastExit, reason }: Live): Promise<Settled | undefined> {
    const { spec } = this.#wait.record;
    const isOver =
      lastExit !== undefined && lastExit.requested !== true && lastExit.at >= this.#wait.output.since - 1000;
    if (!isOver) {
      const isLate = Date.now() - this.#began > BEGIN_BOUND;
      return isLate
        ? { ok: false, message: `it does not run${reason === undefined ? "" : `: ${reason}`}` }
        : undefined;
    }
    const how = `ended: ${formatExit(lastExit.exit)}`;
    const { exit } = lastExit;
    const isGood = exit.kind === "code" && spec.restart.successExitCodes.includes(exit.code);
    if (!isGood) return { ok: false, message: how };
    // Whoever waits for its end has not looked whether it was ready.
    const { until } = this.#wait;
    if (!hasToBeReady(spec) || until === "completed") return { ok: true, detail: how };
    if (await this.#wasReady()) return { ok: true, detail: how, wasReady: true };
    return { ok: false, message: earlyEnd(exit, spec) };
  }

  /** A line that makes it ready counts, also when its process ended right after it. Nothing else can be asked any more. */
  async #wasReady(): Promise<boolean> {
    const { output, record } = this.#wait;
    return record.spec.readiness.type === "log" && (await output.matched());
  }

  async #running({ pid }: Live): Promise<Settled | undefined> {
    const { record, until, dir, signal, output } = this.#wait;
    const id = pid === undefined ? undefined : identify(pid);
    if (pid === undefined || id === undefined) return undefined;
    if (until === "started") return { ok: true, detail: `started: pid ${pid}`, process: id };
    this.last = until === "completed" ? "it still runs" : "it runs";
    if (until === "completed") return undefined;
    const { readiness } = record.spec;
    const ready = (evidence: string, mcp?: McpFacts): Settled => ({
      ok: true,
      detail: `ready: ${evidence}`,
      process: id,
      ready: { process: id, evidence, at: Date.now(), ...(mcp ? { mcp } : {}) },
    });
    if (readiness.type === "none")
      return performance.now() - (this.#process?.since ?? 0) >= UP
        ? ready(`up for ${formatDuration(UP)}`)
        : undefined;
    if (readiness.type === "log") {
      this.last = `no line matches ${readiness.pattern}`;
      return output.match === undefined ? undefined : ready(`printed: ${output.match}`);
    }
    const look = await lookAt(record, readiness, { pid, dir, signal }).catch((error) => ({
      ok: false,
      evidence: String(error),
      mcp: undefined,
    }));
    this.last = look.evidence;
    return look.ok ? ready(look.evidence, look.mcp) : undefined;
  }
}

/** Between two looks at a journal for what a server printed last, ms. */
const JOURNAL_GAP = 10_000;
/** Longest that a journal is asked for that, ms. */
const JOURNAL_BOUND = 2000;
const KEPT_LINES = 10;

/** What a server prints from a moment on. */
export class Output {
  /** Of the newest run. `at`: unix ms at which it was read. */
  #lines: { readonly line: string; readonly at: number }[] = [];
  /** Of the run before that. */
  #earlier: string[] = [];
  #count = 0;
  /** Unix ms, before the first line of the newest run. */
  #runSince: number;
  /** What a journal said last of the newest line, and when it was asked. */
  #newest: { readonly line: string | undefined; readonly at: number; readonly asked: number } | undefined;
  /** Unix ms of the newest line of a journal that was counted. */
  #heardAt = 0;
  readonly #closing = new AbortController();
  readonly #redactor: Redactor;
  readonly #manager: UnitManager;
  readonly #unit: Unit;
  /** Unix ms at which it began, just before a start. */
  readonly since: number;
  /** By the manager. */
  readonly #isKept: boolean;
  #following: Promise<void> = Promise.resolve();
  /** The line that its log probe waits for, once that has come. */
  match: string | undefined;

  /** Follows at once what is in files; a journal is asked only where somebody waits for a line, and when it failed. */
  constructor(manager: UnitManager, unit: Unit, record: UnitRecord, since: number) {
    this.#manager = manager;
    this.#unit = unit;
    this.since = since;
    this.#runSince = since;
    this.#isKept = manager.logFiles(unit.spec, unit.file) === undefined;
    this.#redactor = new Redactor(record.secrets, record.spec.env);
    const { readiness } = record.spec;
    const pattern = readiness.type === "log" ? readiness.pattern : undefined;
    if (this.#isKept && pattern === undefined) return;
    const lines = manager.logs(unit, this.#request(true), this.#closing.signal);
    // The first step is made at once: the files are opened as they are now.
    this.#following = this.#follow(lines[Symbol.asyncIterator](), pattern).catch(() => {});
  }

  /** Whether the line that its log probe waits for is among all that it printed. */
  async matched(): Promise<boolean> {
    const until = Date.now() + LONGEST_FOLLOW;
    while (this.match === undefined && Date.now() < until && !this.#closing.signal.aborted)
      await pause(FOLLOW_GAP, this.#closing.signal);
    return this.match !== undefined;
  }

  /** Lines that were read up to now. */
  get count(): number {
    return this.#count;
  }

  /** Another run begins: what was printed before is that of the last one. `at`: unix ms. */
  beginRun(at: number): void {
    // What is in files is seen a moment after it was printed.
    const isBefore = (line: { readonly at: number }) => line.at < at + READ_GAP;
    this.#earlier = this.#lines.filter(isBefore).map(({ line }) => line);
    this.#lines = this.#lines.filter((line) => !isBefore(line));
    this.#runSince = at;
    this.#newest = undefined;
  }

  /** What it printed last; a journal is asked now and then only. */
  async lastLine(): Promise<string | undefined> {
    const line = this.#lines.at(-1)?.line;
    if (line !== undefined || !this.#isKept) return line;
    if (this.#newest === undefined || performance.now() - this.#newest.asked >= JOURNAL_GAP)
      await this.#askNewest();
    return this.#newest?.line;
  }

  /** Whether there is more in a journal than there was when it was asked last. Of what is in files it is known. */
  async hasMore(): Promise<boolean> {
    if (!this.#isKept) return false;
    const before = this.#heardAt;
    if ((this.#newest?.at ?? 0) <= before) await this.#askNewest();
    this.#heardAt = this.#newest?.at ?? 0;
    return this.#heardAt > before;
  }

  async #askNewest(): Promise<void> {
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), JOURNAL_BOUND);
    let found: LogLine | undefined;
    try {
      const request = { tail: 1, follow: false, since: this.#runSince };
      for await (const line of this.#manager.logs(this.#unit, request, bound.signal)) found = line;
    } catch {
      // Nothing is known of it then.
    } finally {
      clearTimeout(timer);
    }
    const line = found === undefined ? this.#newest?.line : this.#redactor.line(found.line);
    this.#newest = { line, at: found?.at ?? this.#newest?.at ?? 0, asked: performance.now() };
  }

  /** `run`: of that one, which another has followed; else of the newest. */
  async lastLines(run?: RunTimes): Promise<string[]> {
    if (!this.#isKept && run !== undefined) {
      this.close();
      return this.#earlier;
    }
    if (!this.#isKept) {
      // A busy machine comes to look at the files later than it means to.
      const until = Date.now() + LONGEST_FOLLOW;
      do await pause(FOLLOW_GAP, this.#closing.signal);
      while (this.#lines.length === 0 && Date.now() < until && !this.#closing.signal.aborted);
      // What comes after it is put back is not what it failed with.
      this.close();
      // That also brings a last line without its newline.
      await this.#following;
      return this.#lines.map(({ line }) => line);
    }
    const lines: string[] = [];
    try {
      const logs = this.#manager.logs(this.#unit, this.#request(false), this.#closing.signal);
      for await (const { line, at } of logs) {
        const isOf = run === undefined || at === undefined || (at >= run.from && at < run.to);
        if (isOf) lines.push(this.#redactor.line(line));
      }
    } catch {
      // What it said is a help, and no more.
    }
    return lines.slice(-KEPT_LINES);
  }

  close(): void {
    this.#closing.abort();
  }

  #request(follow: boolean) {
    return { tail: this.#isKept ? 1000 : 0, follow, since: this.since };
  }

  async #follow(lines: AsyncIterator<LogLine>, pattern: string | undefined): Promise<void> {
    const first = lines.next();
    const known = pattern === undefined ? undefined : await understood(pattern);
    const expression = known?.ok ? known.expression : undefined;
    for (let next = await first; !next.done; next = await lines.next()) {
      const { line } = next.value;
      if (this.match === undefined && expression?.test(line)) this.match = this.#redactor.evidence(line);
      this.#count++;
      this.#lines.push({ line: this.#redactor.line(line), at: Date.now() });
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    }
  }
}

/** Longer than those who follow files look away, ms. */
const FOLLOW_GAP = 400;
/** That, when nothing keeps them, ms. */
const READ_GAP = 150;
/** Longest wait for the last words of what may have had none, ms. */
const LONGEST_FOLLOW = 2000;
