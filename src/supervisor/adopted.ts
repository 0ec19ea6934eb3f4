import { cannotHappen } from "../model/cannot-happen.ts";
import type { Moment, SupervisedSpec, Turn } from "./events.ts";
import { end, endedAfterAll, follow, killAgain, over, vanish } from "./incarnation.ts";
import { waitLeft } from "./pause.ts";
import type { ServerState } from "./state.ts";
import { rewatched } from "./watching.ts";

/** A new spec, and a new agent. */

/** A start that an agent took to its grave. */
function lostStart(state: ServerState, now: number): Turn {
  const turn = follow(state, { kind: "backoff", until: now }, now);
  return {
    ...turn,
    change: { ...turn.change, reason: "the agent exited before it ran; starts once it is resumed" },
  };
}

export function onConfigured(state: ServerState, spec: SupervisedSpec, moment: Moment): Turn | undefined {
  const { phase } = state;
  if (phase.tag !== "running") return undefined;
  const turn = rewatched(state, phase, spec, moment);
  return { ...turn, effects: [{ type: "cancelTimers" }, ...(turn.effects ?? [])] };
}

/** The timers of the agent before are gone, that of a pause among them. */
export function withTimers({ paused }: ServerState, turn: Turn | undefined): Turn | undefined {
  if (!paused) return turn;
  return { change: {}, ...turn, effects: [{ type: "cancelTimers" }, ...(turn?.effects ?? [])] };
}

/** Takes up where an earlier agent left off. */
export function onAdopted(
  state: ServerState,
  present: boolean,
  spec: SupervisedSpec,
  moment: Moment,
): Turn | undefined {
  const { phase, inc } = state;
  const { now } = moment;
  switch (phase.tag) {
    case "starting":
      if (present) return undefined;
      // Whoever decided on the lost start: during a pause, only a start that a person asks for then is carried out.
      return state.paused ? lostStart(state, now) : follow(state, { kind: "start" }, now);
    case "running":
      return present ? rewatched(state, phase, spec, moment) : vanish(state, spec, now);
    case "ending": {
      if (!present) return follow(state, phase.after, now);
      return end(state, phase.after, spec, phase.killed ? "SIGKILL" : spec.stop.signal, {}, phase.own);
    }
    case "failed":
      if (!phase.stuck) return { change: {}, effects: over(state) };
      return present ? killAgain(inc) : endedAfterAll(state);
    case "stopped":
      return inc === 0 ? undefined : { change: {}, effects: over(state) };
    case "waiting": {
      const ms = waitLeft(phase, spec, now);
      return { change: {}, effects: [...over(state), { type: "setTimer", inc, timer: "backoff", ms }] };
    }
    default:
      return cannotHappen(phase);
  }
}
