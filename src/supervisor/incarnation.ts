import { cannotHappen } from "../model/cannot-happen.ts";
import { type Exit, formatExit } from "../model/observed.ts";
import { earlyEnd } from "../model/start.ts";
import { isSuccess } from "../model/success.ts";
import { formatDuration } from "../model/units.ts";
import type { Effect, EndSignal, SupervisedSpec, Turn } from "./events.ts";
import { decideRestart, type Run, wantsRestart } from "./policy.ts";
import { type After, isEarly, type Phase, readyFor, type ServerState } from "./state.ts";

/**
 * How an incarnation begins and ends. The one rule behind all of it: {@link spawn} is reached only from a state in
 * which nothing of the incarnation before is alive, and that is only after its group was reported empty.
 */

/** Time after SIGKILL in which a group must be gone, ms. */
export const STUCK_AFTER = 5000;

export type Ending = Extract<Phase, { tag: "ending" }>;

export function spawn(state: ServerState, change: Turn["change"] = {}): Turn {
  const inc = state.inc + 1;
  return {
    change: { reason: undefined, ...change, phase: { tag: "starting" }, inc },
    effects: [{ type: "cancelTimers" }, { type: "spawn", inc }],
  };
}

/** Begins the end of the live incarnation: the group is signalled, and what follows waits until it is empty. */
export function end(
  state: ServerState,
  after: After,
  spec: SupervisedSpec,
  signal: EndSignal,
  change: Turn["change"],
  own = false,
): Turn {
  const killed = signal === "SIGKILL";
  const { phase, inc } = state;
  return {
    change: { ...change, phase: { tag: "ending", after, own, killed, ...lifeOf(phase, state.since) } },
    effects: [
      { type: "cancelTimers" },
      killed
        ? { type: "setTimer", inc, timer: "stuck", ms: STUCK_AFTER }
        : { type: "setTimer", inc, timer: "grace", ms: spec.stop.grace },
      { type: "signal", inc, signal },
    ],
  };
}

function lifeOf(phase: Phase, since: number): Pick<Ending, "startedAt" | "process"> {
  if (phase.tag !== "running" && phase.tag !== "ending") return { startedAt: since };
  const { startedAt, process } = phase;
  return process === undefined ? { startedAt } : { startedAt, process };
}

/** The grace is over, or a person does not want to wait for it. */
export function escalate(state: ServerState, phase: Ending, change: Turn["change"] = {}): Turn {
  const { inc } = state;
  return {
    change: { ...change, phase: { ...phase, killed: true } },
    effects: [
      { type: "cancelTimers" },
      { type: "setTimer", inc, timer: "stuck", ms: STUCK_AFTER },
      { type: "signal", inc, signal: "SIGKILL" },
    ],
  };
}

/** SIGKILL was not enough. */
export function giveUpKilling(phase: Phase): Turn | undefined {
  if (phase.tag !== "ending" || !phase.killed) return undefined;
  return {
    change: { phase: { tag: "failed", stuck: true }, reason: "cannot be killed" },
    effects: [{ type: "cancelTimers" }],
  };
}

export function killAgain(inc: number): Turn {
  return { change: {}, effects: [{ type: "signal", inc, signal: "SIGKILL" }] };
}

/** What could not be killed is gone: it blocks a start no longer. */
export function endedAfterAll(state: ServerState): Turn {
  return fail(state, "could not be killed in time, exited later");
}

/** The main process ended by itself: what follows is decided now, and waits for the rest of its group to end. */
export function endByItself(
  state: ServerState,
  exit: Exit,
  at: number,
  spec: SupervisedSpec,
  now: number,
): Turn {
  const { after, change } = afterExit(state, exit, at, spec, now);
  return end(state, after, spec, spec.stop.signal, change, true);
}

/** It is gone without a trace, its whole group with it: nothing is left to be signalled. */
export function vanish(state: ServerState, spec: SupervisedSpec, now: number): Turn {
  const exit: Exit = { kind: "unknown", because: "it had already exited when xy looked" };
  const { after, change } = afterExit(state, exit, now, spec, now);
  const turn = follow(state, after, now);
  return { ...turn, change: { ...change, ...turn.change } };
}

interface Aftermath {
  readonly after: After;
  readonly change: Turn["change"];
}

function afterExit(state: ServerState, exit: Exit, at: number, spec: SupervisedSpec, now: number): Aftermath {
  const lastExit = { exit, at };
  const isGood = isSuccess(exit, spec);
  const early = isEarly(state, spec);
  const cause = early && isGood ? earlyEnd(exit, spec) : formatExit(exit);
  if (!wantsRestart(exit, spec)) {
    // To try that again would be to see it again.
    if (early) return { after: { kind: "fail", reason: cause }, change: { lastExit, reason: cause } };
    const reason = isGood ? "ended with success" : `ended: ${cause}`;
    return { after: { kind: "rest" }, change: { lastExit, reason } };
  }
  const run: Run = { ready: readyFor(state, at), end: isGood && !early ? "success" : "failure" };
  const { after, change } = afterFailure(state, cause, run, spec, now);
  return { after, change: { ...change, lastExit } };
}

/** What follows a run that wants a restart; counts the restart when it decides on one. */
export function afterFailure(
  state: ServerState,
  cause: string,
  run: Run,
  spec: SupervisedSpec,
  now: number,
): Aftermath {
  const decision = decideRestart(state.retries, run, spec, now);
  if (decision.kind === "restart") {
    const delay = formatDuration(decision.delay);
    const reason = `${cause}; starts again ${state.paused ? "once it is resumed" : `after ${delay}`}`;
    const change = { retries: decision.retries, restartCount: state.restartCount + 1, reason };
    return { after: { kind: "backoff", until: now + decision.delay }, change };
  }
  const reason = `${cause}; ${decision.because}`;
  return { after: { kind: "fail", reason }, change: { reason } };
}

/** The incarnation is over: carries out what was decided to follow. */
export function follow(state: ServerState, after: After, now: number): Turn {
  const { inc } = state;
  switch (after.kind) {
    case "rest":
      return { change: { phase: { tag: "stopped" } }, effects: over(state) };
    case "fail":
      return fail(state, after.reason);
    case "start": {
      const turn = spawn(state);
      return { ...turn, effects: [{ type: "release", inc }, ...(turn.effects ?? [])] };
    }
    case "backoff":
      return {
        change: { phase: { tag: "waiting", until: after.until } },
        effects: [
          ...over(state),
          { type: "setTimer", inc, timer: "backoff", ms: Math.max(0, after.until - now) },
        ],
      };
    default:
      return cannotHappen(after);
  }
}

export function fail(state: ServerState, reason: string): Turn {
  return { change: { phase: { tag: "failed", stuck: false }, reason }, effects: over(state) };
}

/** Said again at each adoption: the agent before may have died between its record and this. */
export function over(state: ServerState): Effect[] {
  return [{ type: "cancelTimers" }, { type: "release", inc: state.inc }];
}
