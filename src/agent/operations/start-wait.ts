import { cannotHappen } from "../../model/cannot-happen.ts";
import { formatExit } from "../../model/observed.ts";
import type { Patience } from "../../model/patience.ts";
import { LOOK_EVERY, noSigns, type Signs, silentFrom, withLook } from "../../model/signs.ts";
import type { StartProgress } from "../../model/start-progress.ts";
import {
  type GivenUp,
  isToTell,
  restartsText,
  runsText,
  startHelp,
  TELL_GAP,
} from "../../model/start-report.ts";
import { isUp } from "../../model/states.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { publicState, type ServerState } from "../../supervisor/state.ts";
import { ticksOf } from "../../system/usage.ts";
import type { Supervised } from "../servers/supervised.ts";
import { lastLines } from "./observing.ts";

export interface StartWaitOptions {
  readonly patience: Patience;
  /** Told how it is getting on. */
  readonly tell?: ((progress: StartProgress) => void) | undefined;
}

/** `settled`: what was waited for has happened. `gone`: the client has disconnected. */
type WaitEnd = "settled" | "gone" | "over" | "silent";

/** A run that failed while it was waited for. */
interface FailedRun {
  readonly inc: number;
  /** One clause. */
  readonly cause: string;
  /** Unix ms, before its first line. */
  readonly begunAt: number;
}

/**
 * Waits for the start of one server, as long as its patience says. Made before the start is decided on; close it after
 * use. It remembers what the newest run no longer shows: which run failed last, and how.
 */
export class StartWait {
  readonly #server: Supervised;
  readonly #patience: Patience;
  readonly #tell: StartWaitOptions["tell"];
  readonly #forget: () => void;
  #began = performance.now();
  #signs: Signs;
  /** The newest run. */
  #run: { readonly inc: number; readonly begunAt: number };
  /** The newest run that is none of this start. */
  readonly #earlierInc: number;
  #failed: FailedRun | undefined;
  #restarts = 0;
  #told: StartProgress | undefined;
  #end: WaitEnd | undefined;
  #waited = 0;

  constructor(server: Supervised, { patience, tell }: StartWaitOptions) {
    this.#server = server;
    this.#patience = patience;
    this.#tell = tell;
    this.#signs = noSigns(server.log.taken, this.#began);
    this.#earlierInc = isUp(publicState(server.state)) ? server.state.inc - 1 : server.state.inc;
    this.#run = { inc: server.state.inc, begunAt: server.begunAt };
    this.#forget = server.changes.onChange(() => this.#note());
  }

  /**
   * Settles when the condition holds, the patience has run out, or the client has disconnected. `waited`: ms that
   * were waited for something else before, which count where somebody has said how long it may be in all.
   */
  async until(isSettled: (server: Supervised) => boolean, gone: AbortSignal, waited = 0): Promise<void> {
    const now = performance.now();
    this.#began = this.#patience.by === "wait-timeout" ? now - waited : now;
    this.#signs = { ...this.#signs, lastAt: now };
    this.#end = await this.#wait(isSettled, gone);
    // What was seen before the look that is under way may be long out of date; and it may be good.
    if (this.#end === "over" && (await this.#isSettledAfterAll(isSettled))) this.#end = "settled";
    this.#waited = performance.now() - this.#began;
  }

  async #isSettledAfterAll(isSettled: (server: Supervised) => boolean): Promise<boolean> {
    const { probing, spec } = this.#server;
    await probing.answerTo(spec.readiness);
    return isSettled(this.#server);
  }

  get isSettled(): boolean {
    return this.#end === "settled";
  }

  async #wait(isSettled: (server: Supervised) => boolean, gone: AbortSignal): Promise<WaitEnd> {
    const { ms, slack, whileProgress, by } = this.#patience;
    const bound = this.#began + ms + slack;
    const missed = missedBy(this.#server);
    // The supervision has given the start up: what comes of the next one is not waited for.
    const isMissed = (now: Supervised) => by === "start-timeout" && missedBy(now) > missed;
    for (;;) {
      const now = performance.now();
      const next = Math.min(onGrid(now, TELL_GAP), bound);
      const isOver = (one: Supervised) => isSettled(one) || isMissed(one);
      if (await this.#server.until(isOver, Math.max(0, next - now), gone))
        return isSettled(this.#server) ? "settled" : "over";
      if (gone.aborted) return "gone";
      const then = performance.now();
      if (then >= bound) return "over";
      if (whileProgress) {
        // It failed at the very end.
        if (then >= this.#began + ms && !isUp(publicState(this.#server.state))) return "over";
        if (onGrid(now, LOOK_EVERY) <= then) await this.#look();
        if (performance.now() >= silentFrom(this.#signs)) return "silent";
      }
      this.#report();
    }
  }

  /** What it ended with in vain; undefined: it did not. */
  get givenUp(): GivenUp | undefined {
    const [how, patience] = [this.#end, this.#patience];
    return how === "over" || how === "silent" ? { how, patience, waited: this.#waited } : undefined;
  }

  /** The runs that failed meanwhile, to be put behind a message. */
  get runs(): string {
    return runsText({ restarts: this.#restarts, ...withoutUndefined({ last_failure: this.#failed?.cause }) });
  }

  /** How often it was started again meanwhile, to be put behind a message. */
  get restarted(): string {
    return restartsText(this.#restarts);
  }

  /** The last lines of the last run that failed, or else of the newest one. */
  lines(): string[] {
    const failed = this.#failed;
    if (failed === undefined) return lastLines(this.#server);
    const isOver = this.#run.inc > failed.inc;
    return lastLines(this.#server, {
      since: failed.begunAt,
      ...(isOver ? { until: this.#run.begunAt - 1 } : {}),
    });
  }

  /** Which settings would help. */
  help(): string[] {
    const { state, spec } = this.#server;
    const evidence = state.phase.tag === "running" ? state.phase.ready.verdict.evidence : undefined;
    return startHelp({ spec, evidence, givenUp: this.givenUp });
  }

  close(): void {
    this.#forget();
  }

  #note(): void {
    const { state, begunAt } = this.#server;
    const before = this.#run;
    if (state.inc > before.inc) {
      const { lastExit } = state;
      // It ended and was started again in one turn.
      const isMissed = before.inc > this.#earlierInc && this.#failed?.inc !== before.inc;
      if (isMissed && lastExit && !lastExit.requested)
        this.#failed = { ...before, cause: formatExit(lastExit.exit) };
      if (this.#failed !== undefined) this.#restarts++;
      this.#run = { inc: state.inc, begunAt };
    }
    const cause = failureOf(state);
    if (cause === undefined || state.inc === this.#earlierInc || this.#failed?.inc === state.inc) return;
    this.#failed = { ...this.#run, cause };
  }

  async #look(): Promise<void> {
    const { incarnation, log } = this.#server;
    const processes = await membersOf(incarnation)
      .then(ticksOf)
      .catch(() => undefined);
    this.#signs = withLook(this.#signs, { printed: log.taken, processes }, performance.now());
  }

  #report(): void {
    if (this.#tell === undefined) return;
    const waited_ms = Math.round(performance.now() - this.#began);
    // The log is a file, and is read each second while progress is reported.
    if (this.#told === undefined && waited_ms < TELL_GAP) return;
    const [last_line] = lastLines(this.#server, { tail: 1 });
    const progress: StartProgress = {
      waited_ms,
      bound_ms: this.#patience.ms,
      evidence: evidenceOf(this.#server.state, this.#failed?.cause),
      restarts: this.#restarts,
      ...withoutUndefined({ last_failure: this.#failed?.cause, last_line }),
    };
    if (!isToTell(this.#told, progress)) return;
    this.#told = progress;
    this.#tell(progress);
  }
}

/** The next moment of a grid that all waits have in common: their looks at all processes of the machine become one. */
const onGrid = (now: number, gap: number) => (Math.floor(now / gap) + 1) * gap;

const membersOf = async (incarnation: Supervised["incarnation"]) => (await incarnation?.members()) ?? [];

/** `told`: why its last run failed, which is shown beside it. */
function evidenceOf(state: ServerState, told: string | undefined): string {
  if (state.phase.tag === "running") return state.phase.ready.verdict.evidence;
  const { reason } = state;
  const isTold = told !== undefined && reason?.startsWith(told);
  const rest = isTold ? reason?.slice(told.length).replace(/^; /, "") : reason;
  return rest || publicState(state);
}

/** Why its newest run is over, if that counts as a failure. */
function failureOf({ phase, lastExit, reason }: ServerState): string | undefined {
  switch (phase.tag) {
    case "ending": {
      const { kind } = phase.after;
      if (kind !== "backoff" && kind !== "fail") return undefined;
      return phase.own && lastExit ? formatExit(lastExit.exit) : causeOf(reason);
    }
    case "waiting":
    case "failed":
      return causeOf(reason);
    case "stopped":
    case "starting":
    case "running":
      return undefined;
    default:
      return cannotHappen(phase);
  }
}

const missedBy = ({ state }: Supervised) => state.retries.missed ?? 0;

/** Of a reason, without what follows from it. */
export const causeOf = (reason: string | undefined) =>
  reason?.split(/; (?:starts again|\d+ (?:restarts?|starts) in)/)[0];
