import type { Verdict } from "../model/observed.ts";
import { startTimeoutOf } from "../model/start.ts";
import { formatDuration } from "../model/units.ts";
import type { Effect, Moment, SupervisedSpec, Turn } from "./events.ts";
import { afterFailure, end } from "./incarnation.ts";
import type { Pause } from "./recorded.ts";
import type { Phase, ServerState, StartClock } from "./state.ts";

/**
 * The start of a process: from its first moment until it is ready. It has a bound of its own, and liveness begins when it
 * is over. Its clock stands still in a pause, and is not the one that people set.
 */

type Running = Extract<Phase, { tag: "running" }>;

export function newStart(paused: Pause | undefined, { clock }: Moment): StartClock {
  return { spent: 0, from: paused ? null : clock };
}

/** Ms that are left of it, none when it took too long. */
function startLeft({ spent, from }: StartClock, spec: SupervisedSpec, { clock }: Moment): number {
  const passed = from === null ? 0 : Math.max(0, clock - from);
  return Math.max(0, startTimeoutOf(spec) - spent - passed);
}

/** Of a process in its start; one without a readiness probe is ready by being up. */
export function startTimer(
  start: StartClock | undefined,
  spec: SupervisedSpec,
  inc: number,
  moment: Moment,
): Effect[] {
  if (start === undefined || start.from === null || spec.readiness.type === "none") return [];
  return [{ type: "setTimer", inc, timer: "start", ms: startLeft(start, spec, moment) }];
}

/** Stops or continues the clock of the start. */
export function withStartHeld({ phase, inc }: ServerState, { clock }: Moment): Turn {
  if (phase.tag !== "running" || phase.start === undefined || phase.start.from === null)
    return { change: {} };
  const spent = phase.start.spent + Math.max(0, clock - phase.start.from);
  return {
    change: { phase: { ...phase, start: { spent, from: null } } },
    effects: [{ type: "cancelTimer", inc, timer: "start" }],
  };
}

export function withStartResumed(phase: Running, spec: SupervisedSpec, inc: number, moment: Moment) {
  if (phase.start === undefined || phase.start.from !== null) return { phase, effects: [] };
  const start: StartClock = { ...phase.start, from: moment.clock };
  return { phase: { ...phase, start }, effects: startTimer(start, spec, inc, moment) };
}

/** It is not ready, and its time for that is over. */
export function onStartOver(
  state: ServerState,
  phase: Running,
  spec: SupervisedSpec,
  moment: Moment,
): Turn | undefined {
  const { start } = phase;
  if (start === undefined || start.from === null) return undefined;
  // A timer of the spec before came early.
  if (startLeft(start, spec, moment) > 0)
    return { change: {}, effects: startTimer(start, spec, state.inc, moment) };
  const bound = formatDuration(startTimeoutOf(spec));
  const cause = `not ready within its start-timeout of ${bound}: ${phase.ready.verdict.evidence}`;
  if (spec.restart.policy === "never")
    return end(state, { kind: "fail", reason: cause }, spec, spec.stop.signal, { reason: cause });
  const run = { ready: undefined, end: "missed" } as const;
  const { after, change } = afterFailure(state, cause, run, spec, moment.now);
  return end(state, after, spec, spec.stop.signal, change);
}

/** What is known of a process whose start is over. */
export function pastStart({ start: _, ...phase }: Running, readyAt: number): Running {
  return { ...phase, readyAt: phase.readyAt ?? readyAt };
}

/** Nothing can tell whether it is ready: that must not end it. */
export function withoutStart({ start: _, ...phase }: Running, evidence: string, now: number): Running {
  const verdict: Verdict = { status: "unknown", evidence, at: now };
  return { ...phase, ready: { ...phase.ready, verdict } };
}
