import type { Condition } from "../../model/dependency.ts";
import { formatExit } from "../../model/observed.ts";
import type { Patience } from "../../model/patience.ts";
import type { McpFacts } from "../../model/probe-report.ts";
import type { ProcessId } from "../../model/process.ts";
import { earlyEnd, hasToBeReady } from "../../model/start.ts";
import type { StartProgress } from "../../model/start-progress.ts";
import {
  type GivenUp,
  givenUpText,
  isToTell,
  runsText,
  startHelp,
  TELL_GAP,
} from "../../model/start-report.ts";
import { isSuccess } from "../../model/success.ts";
import { formatDuration } from "../../model/units.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { identify, startedAt } from "../../system/processes.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";
import type { Output, RunTimes } from "./output.ts";
import { lookAt } from "./readiness.ts";
import type { UnitRecord } from "./record.ts";

export type Settled =
  | {
      readonly ok: true;
      readonly detail: string;
      readonly process?: ProcessId;
      /** It was ready, and has exited. */
      readonly wasReady?: boolean;
      readonly ready?: NonNullable<UnitRecord["ready"]>;
    }
  | UnSettled;

export interface UnSettled {
  readonly ok: false;
  readonly message: string;
  /** Settings that would help. */
  readonly help?: readonly string[];
  /** It missed its start-timeout: such a process is stopped. */
  readonly isLate?: true;
  /** It exited with a success code before it was ready: no manager restarts it. */
  readonly isEarly?: true;
  /** The run that failed last, if another one has begun since. */
  readonly failedRun?: RunTimes;
}

export interface Wait {
  readonly manager: UnitManager;
  readonly unit: Unit;
  readonly record: UnitRecord;
  readonly output: Output;
  readonly until: Condition;
  readonly patience: Patience;
  /** Longest time from a process's start until it is ready, ms; absent: not enforced here. */
  readonly startTimeout?: number;
  readonly tell?: ((progress: StartProgress) => void) | undefined;
  readonly dir: string;
  /** False once somebody has told it to stop. */
  readonly isWanted: () => boolean;
  readonly signal: AbortSignal;
}

/** How long a program without a check has to run to count as up, ms. */
const UP = 1000;
/** How long a manager may take to begin a start, ms. */
const BEGIN_BOUND = 5000;

/** What the looks at a server that is starting add up to. */
export class StartWatch {
  readonly #wait: Wait;
  readonly #began: number;
  /**
   * The process that was seen last; when it was first seen, on a monotonic clock; and unix ms of its start. `isOver`: it is
   * known to have exited.
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

  /** Notes which process runs now, and what became of those before. */
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

  /** A clause about the failed runs so far; empty if there are none. */
  #runs(): string {
    const failed = withoutUndefined({ last_failure: this.#lastFailure });
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

  /** The result if its start has taken longer than its start-timeout. */
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
    const last_line = await output.lastLine();
    const progress: StartProgress = {
      ...{
        waited_ms: Math.round(waited),
        bound_ms: patience.ms,
        evidence: this.last,
        restarts: this.#restarts,
      },
      ...withoutUndefined({ last_failure: this.#lastFailure, last_line }),
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
    if (!isSuccess(exit, spec)) return { ok: false, message: how };
    // A wait for its end does not look whether it was ready.
    const { until } = this.#wait;
    if (!hasToBeReady(spec) || until === "completed") return { ok: true, detail: how };
    if (await this.#wasReady()) return { ok: true, detail: how, wasReady: true };
    return { ok: false, message: earlyEnd(exit, spec), isEarly: true };
  }

  /** A ready line counts even if its process exited right after it. No other probe can be made any more. */
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
      ready: { process: id, evidence, at: Date.now(), ...withoutUndefined({ mcp }) },
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
