import { understood } from "../../model/expression.ts";
import { formatExit } from "../../model/observed.ts";
import type { McpFacts } from "../../model/probe-report.ts";
import type { ProcessId } from "../../model/process.ts";
import { Redactor } from "../../model/redact.ts";
import { formatDuration } from "../../model/units.ts";
import { identify } from "../../system/processes.ts";
import type { Condition } from "../backend.ts";
import { type LogLine, pause } from "../log-lines.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";
import { lookAt } from "./readiness.ts";
import type { UnitRecord } from "./record.ts";

/** Waiting until a server that was started is what is asked of it. */

/** A person's word wins over an apply. */
export const HELD = "it was told to stop meanwhile";

export type Settled =
  | {
      readonly ok: true;
      readonly detail: string;
      readonly process?: ProcessId;
      readonly ready?: NonNullable<UnitRecord["ready"]>;
    }
  | { readonly ok: false; readonly message: string };

interface Wait {
  readonly manager: UnitManager;
  readonly unit: Unit;
  readonly record: UnitRecord;
  readonly output: Output;
  readonly until: Condition;
  /** Ms. */
  readonly bound: number;
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

/** Settles when it is so, when it failed or ended, or when the time is over. */
export async function settle(wait: Wait): Promise<Settled> {
  const { manager, unit, bound, signal } = wait;
  const began = Date.now();
  const watch = new StartWatch(wait, began);
  for (let gap = FIRST_GAP; ; gap = Math.min(gap * 1.5, LONGEST_GAP)) {
    const live = (await manager.look([unit])).get(unit.spec.name);
    const settled = live && (await watch.take(live));
    if (settled?.ok) return settled;
    if (!wait.isWanted()) return { ok: false, message: HELD };
    if (settled) return settled;
    if (signal.aborted) return { ok: false, message: "interrupted" };
    if (Date.now() - began >= bound)
      return { ok: false, message: `not ${GOAL[wait.until]} after ${formatDuration(bound)}: ${watch.last}` };
    await pause(Math.min(gap, Math.max(0, began + bound - Date.now())), signal);
  }
}

const GOAL: Readonly<Record<Condition, string>> = {
  started: "started",
  ready: "ready",
  completed: "completed",
};

class StartWatch {
  readonly #wait: Wait;
  readonly #began: number;
  /** The process that was seen last, and when first. */
  #process: { readonly id: ProcessId; readonly since: number } | undefined;
  /** What was seen last. */
  last = "it does not run";

  constructor(wait: Wait, began: number) {
    this.#wait = wait;
    this.#began = began;
  }

  async take(live: Live): Promise<Settled | undefined> {
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

  #stopped({ lastExit, reason }: Live): Settled | undefined {
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
    return isGood ? { ok: true, detail: how } : { ok: false, message: how };
  }

  async #running({ pid }: Live): Promise<Settled | undefined> {
    const { record, until, dir, signal, output } = this.#wait;
    const id = pid === undefined ? undefined : identify(pid);
    if (pid === undefined || id === undefined) return undefined;
    if (this.#process?.id.start !== id.start || this.#process.id.pid !== pid)
      this.#process = { id, since: Date.now() };
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
      return Date.now() - this.#process.since >= UP ? ready(`up for ${formatDuration(UP)}`) : undefined;
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

const KEPT_LINES = 10;

/** What a server prints from a moment on. */
export class Output {
  readonly #lines: string[] = [];
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
    this.#isKept = manager.logFiles(unit.spec, unit.file) === undefined;
    this.#redactor = new Redactor(record.secrets, record.spec.env);
    const { readiness } = record.spec;
    const pattern = readiness.type === "log" ? readiness.pattern : undefined;
    if (this.#isKept && pattern === undefined) return;
    const lines = manager.logs(unit, this.#request(true), this.#closing.signal);
    // The first step is made at once: the files are opened as they are now.
    this.#following = this.#follow(lines[Symbol.asyncIterator](), pattern).catch(() => {});
  }

  async lastLines(): Promise<string[]> {
    if (!this.#isKept) {
      // A busy machine comes to look at the files later than it means to.
      const until = Date.now() + LONGEST_FOLLOW;
      do await pause(FOLLOW_GAP, this.#closing.signal);
      while (this.#lines.length === 0 && Date.now() < until && !this.#closing.signal.aborted);
      // What comes after it is put back is not what it failed with.
      this.close();
      // That also brings a last line without its newline.
      await this.#following;
      return [...this.#lines];
    }
    const lines: string[] = [];
    try {
      const logs = this.#manager.logs(this.#unit, this.#request(false), this.#closing.signal);
      for await (const { line } of logs) lines.push(this.#redactor.line(line));
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
      this.#lines.push(this.#redactor.line(line));
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    }
  }
}

/** Longer than those who follow files look away, ms. */
const FOLLOW_GAP = 400;
/** Longest wait for the last words of what may have had none, ms. */
const LONGEST_FOLLOW = 2000;
