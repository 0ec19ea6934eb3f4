import type { Effect, Moment, SupervisedSpec, Turn } from "./events.ts";
import { spawn } from "./incarnation.ts";
import type { Track } from "./probes.ts";
import type { Pause } from "./recorded.ts";
import { withStartHeld, withStartResumed } from "./starting.ts";
import type { Phase, ServerState } from "./state.ts";

/**
 * A pause: nothing is started or ended by policy, while a person's words, and those of an apply, work as ever and
 * leave it as it is. It holds in every phase, also in rest: what is started by hand meanwhile is not restarted either.
 * Ends are judged and counted as always; what follows from them waits.
 */

/** Pausing again replaces its end. `until`: unix ms, null for no end. */
export function onPause(state: ServerState, until: number | null, moment: Moment): Turn {
  const held = withStartHeld(state, moment);
  const effects: Effect[] = until === null ? [{ type: "cancelTimer", inc: state.inc, timer: "pause" }] : [];
  return {
    change: { ...held.change, paused: { at: state.paused?.at ?? moment.now, until } },
    effects: [...effects, ...(held.effects ?? [])],
  };
}

export function onResume(state: ServerState, spec: SupervisedSpec, moment: Moment): Turn | undefined {
  if (!state.paused) return undefined;
  const { phase, inc } = state;
  const { now } = moment;
  const change = { paused: undefined };
  const effects: Effect[] = [{ type: "cancelTimer", inc, timer: "pause" }];
  if (phase.tag === "running") {
    const resumed = withStartResumed({ ...phase, healthy: anew(phase.healthy, now) }, spec, inc, moment);
    return { change: { ...change, phase: resumed.phase }, effects: [...effects, ...resumed.effects] };
  }
  if (phase.tag !== "waiting") return { change, effects };
  const ms = waitLeft(phase, spec, now);
  if (ms === 0) return spawn(state, change);
  return { change, effects: [...effects, { type: "setTimer", inc, timer: "backoff", ms }] };
}

/** What was seen of its health during the pause is no ground to end it afterwards. */
function anew(track: Track, now: number): Track {
  if (track.verdict.status !== "failing") return { ...track, streak: 0 };
  const evidence = `not checked since the pause; before: ${track.verdict.evidence}`;
  return { ...track, streak: 0, verdict: { status: "unknown", evidence, at: now } };
}

export function onPauseOver(state: ServerState, spec: SupervisedSpec, moment: Moment): Turn | undefined {
  const { paused, inc } = state;
  if (!paused || paused.until === null) return undefined;
  const ms = pauseLeft(paused, moment.now);
  if (ms === 0) return onResume(state, spec, moment);
  return { change: {}, effects: [{ type: "setTimer", inc, timer: "pause", ms }] };
}

/** Ms until it is over; a clock that was set back must not make it longer. */
function pauseLeft({ at, until }: Pause, now: number): number {
  return until === null || now < at ? 0 : Math.max(0, until - now);
}

/** The timer of a pause outlives all others: it is set again whenever they are cancelled, and for each incarnation. */
export function pauseTimer(before: ServerState, after: ServerState, turn: Turn, now: number): Effect[] {
  const { paused, inc } = after;
  if (!paused || paused.until === null) return [];
  const isSet = before.paused === paused && !turn.effects?.some(({ type }) => type === "cancelTimers");
  return isSet ? [] : [{ type: "setTimer", inc, timer: "pause", ms: pauseLeft(paused, now) }];
}

/** Ms of the backoff that are left: no more than the longest one, whatever the clock did in between. */
export function waitLeft(
  { until }: Extract<Phase, { tag: "waiting" }>,
  { restart }: SupervisedSpec,
  now: number,
): number {
  return Math.min(Math.max(0, until - now), restart.backoffMax);
}
