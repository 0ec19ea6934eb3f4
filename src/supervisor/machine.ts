import type { Exit } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import { onRestart, onStart, onStartWithAgent, onStop } from "./commands.ts";
import {
  cannotHappen,
  type Effect,
  type MachineEvent,
  type Moment,
  type Step,
  type SupervisedSpec,
  type TimerName,
  type Turn,
} from "./events.ts";
import {
  end,
  endByItself,
  endedAfterAll,
  escalate,
  fail,
  follow,
  giveUpKilling,
  killAgain,
  over,
  spawn,
  vanish,
} from "./incarnation.ts";
import { onPause, onPauseOver, onResume, pauseTimer, waitLeft } from "./pause.ts";
import { type Phase, publicState, type ServerState } from "./state.ts";
import {
  onAnswered,
  onLivenessDue,
  onReadinessDue,
  onStartPeriodOver,
  rewatched,
  watched,
} from "./watching.ts";

export type { Effect, MachineEvent, Moment, ProbeName, Step, SupervisedSpec, TimerName } from "./events.ts";
export { STUCK_AFTER } from "./incarnation.ts";

/**
 * The supervisor of one server: facts in, new state and effects out. It knows no clock, process or timer. Whoever
 * drives it carries out the effects in order and feeds back what happens; every effect and event carries the
 * incarnation it belongs to, so that a late exit or timer of an earlier process changes nothing.
 */

/** One event in, the new state and what is to be done out. Pure. */
export function step(state: ServerState, event: MachineEvent, spec: SupervisedSpec, moment: Moment): Step {
  if ("inc" in event && event.inc !== state.inc) return { state, effects: [] };
  const turn = react(state, event, spec, moment.now);
  if (turn === undefined) return { state, effects: [] };
  const next: ServerState = { ...state, ...turn.change };
  const [from, to] = [publicState(state), publicState(next)];
  const after = from === to ? next : { ...next, since: moment.now };
  const effects: Effect[] = [...(turn.effects ?? []), ...pauseTimer(state, after, turn, moment.now)];
  if (!isVerdictOnly(state.phase, after.phase) || state.paused !== after.paused)
    effects.unshift(
      isHeardAgain(event, state.phase, after.phase) ? { type: "record", soon: true } : { type: "record" },
    );
  if (from !== to || state.reason !== after.reason) {
    effects.push({
      type: "publish",
      from,
      to,
      ...(after.reason === undefined ? {} : { reason: after.reason }),
    });
  }
  return { state: after, effects };
}

/** Most answers of probes change nothing that a later agent needs to know. */
function isVerdictOnly(before: Phase, after: Phase): boolean {
  return before.tag === "running" && after.tag === "running" && before.ready.settled === after.ready.settled;
}

/** That its program runs, or ended by itself, is told by what the run leaves behind as long as it is not released. */
function isHeardAgain(event: MachineEvent, before: Phase, after: Phase): boolean {
  if (event.type === "spawned") return before.tag === "starting" && after.tag === "running";
  return event.type === "exited" && before.tag === "running" && after.tag === "ending";
}

function react(state: ServerState, event: MachineEvent, spec: SupervisedSpec, now: number): Turn | undefined {
  const { phase } = state;
  switch (event.type) {
    case "start":
      return onStart(state);
    case "stop":
      return onStop(state, spec, spec.stop.signal, event.reason);
    case "kill":
      return onStop(state, spec, "SIGKILL");
    case "restart":
      return onRestart(state, spec);
    case "pause":
      return onPause(state, event.until, now);
    case "resume":
      return onResume(state, spec, now);
    case "start-with-agent":
      return onStartWithAgent(state, now);
    case "configured":
      return onConfigured(state, spec, now);
    case "adopted":
      return withTimers(state, onAdopted(state, event.present, spec, now));
    case "spawned":
      return onSpawned(state, event.process, event.at, spec, now);
    case "spawn-failed":
      return phase.tag === "starting" ? fail(state, event.reason) : onEmptied(state, spec, now);
    case "exited":
      return onExited(state, event.exit, event.at, spec, now);
    case "emptied":
      return onEmptied(state, spec, now);
    case "timer":
      return onTimer(state, event.timer, spec, now);
    case "answered":
      return phase.tag === "running"
        ? onAnswered(state, phase, event.probe, event.answer, spec, now)
        : undefined;
    default:
      return cannotHappen(event);
  }
}

// --- what is heard of the process -------------------------------------------------------------------------------

function onSpawned(
  state: ServerState,
  process: ProcessId,
  at: number,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  const { phase, inc } = state;
  if (phase.tag === "starting") return watched(state, process, at, spec, now);
  // A signal sent before the program ran may have gone to a shell that was about to become it, or to nobody: say it
  // again, and let the grace begin with the program.
  if (phase.tag === "ending" && !phase.own && phase.process === undefined) {
    const born: ServerState = { ...state, phase: { ...phase, process, startedAt: at } };
    return end(born, phase.after, spec, phase.killed ? "SIGKILL" : spec.stop.signal, {});
  }
  return phase.tag === "failed" && phase.stuck ? killAgain(inc) : undefined;
}

function onExited(
  state: ServerState,
  exit: Exit,
  at: number,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  const { phase } = state;
  switch (phase.tag) {
    case "starting":
    case "running":
      return endByItself(state, exit, at, spec, now);
    case "ending":
      return { change: { lastExit: phase.own ? { exit, at } : { exit, at, requested: true } } };
    case "failed":
      return phase.stuck ? { change: { lastExit: { exit, at, requested: true } } } : undefined;
    case "stopped":
    case "waiting":
      return undefined;
    default:
      return cannotHappen(phase);
  }
}

function onEmptied(state: ServerState, spec: SupervisedSpec, now: number): Turn | undefined {
  const { phase } = state;
  switch (phase.tag) {
    case "running":
      return vanish(state, spec, now);
    case "ending":
      return follow(state, phase.after, now);
    case "failed":
      return phase.stuck ? endedAfterAll(state) : undefined;
    case "starting":
      // Nothing is there yet, which does not mean that nothing will be: the spawn has its own answer.
      return undefined;
    case "stopped":
    case "waiting":
      return undefined;
    default:
      return cannotHappen(phase);
  }
}

function onTimer(state: ServerState, timer: TimerName, spec: SupervisedSpec, now: number): Turn | undefined {
  const { phase } = state;
  switch (timer) {
    case "backoff":
      return phase.tag === "waiting" && !state.paused ? spawn(state) : undefined;
    case "pause":
      return onPauseOver(state, spec, now);
    case "grace":
      return phase.tag === "ending" && !phase.killed ? escalate(state, phase) : undefined;
    case "stuck":
      return giveUpKilling(phase);
    case "start-period":
      return phase.tag === "running" ? onStartPeriodOver(state, phase, spec, now) : undefined;
    case "readiness":
      return phase.tag === "running" ? onReadinessDue(state, phase, spec, now) : undefined;
    case "liveness":
      return phase.tag === "running" ? onLivenessDue(state, phase, spec) : undefined;
    default:
      return cannotHappen(timer);
  }
}

// --- a new spec, a new agent ------------------------------------------------------------------------------------

function onConfigured(state: ServerState, spec: SupervisedSpec, now: number): Turn | undefined {
  const { phase } = state;
  if (phase.tag !== "running") return undefined;
  const turn = rewatched(state, phase, spec, now);
  return { ...turn, effects: [{ type: "cancelTimers" }, ...(turn.effects ?? [])] };
}

/** The timers of the agent before are gone, that of a pause among them. */
function withTimers({ paused }: ServerState, turn: Turn | undefined): Turn | undefined {
  if (!paused) return turn;
  return { change: {}, ...turn, effects: [{ type: "cancelTimers" }, ...(turn?.effects ?? [])] };
}

/** Takes up where an earlier agent left off. */
function onAdopted(
  state: ServerState,
  present: boolean,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  const { phase, inc } = state;
  switch (phase.tag) {
    case "starting":
      if (present) return undefined;
      // Whoever decided on the start that was lost: during a pause nothing is started that nobody asks for then.
      return follow(state, state.paused ? { kind: "backoff", until: now } : { kind: "start" }, now);
    case "running":
      return present ? rewatched(state, phase, spec, now) : vanish(state, spec, now);
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
