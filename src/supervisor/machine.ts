import { cannotHappen } from "../model/cannot-happen.ts";
import type { Exit } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { onAdopted, onConfigured, withTimers } from "./adopted.ts";
import { onRestart, onStart, onStartWithAgent, onStop } from "./commands.ts";
import type { Effect, MachineEvent, Moment, Step, SupervisedSpec, TimerName, Turn } from "./events.ts";
import {
  afterFailure,
  end,
  endByItself,
  endedAfterAll,
  escalate,
  fail,
  follow,
  giveUpKilling,
  killAgain,
  spawn,
  vanish,
} from "./incarnation.ts";
import { onPause, onPauseOver, onResume, pauseTimer } from "./pause.ts";
import { onStartOver } from "./starting.ts";
import { type Phase, publicState, type ServerState } from "./state.ts";
import { onAnswered, onLivenessDue, onReadinessDue, onStartPeriodOver, watched } from "./watching.ts";

export type { Effect, MachineEvent, Moment, ProbeName, Step, SupervisedSpec, TimerName } from "./events.ts";
export { STUCK_AFTER } from "./incarnation.ts";

/**
 * The supervisor of one server: facts in, new state and effects out. It knows no clock, process or timer. Whoever
 * drives it carries out the effects in order and feeds back what happens; every effect and event carries the
 * incarnation it belongs to, so that a late exit or timer of an earlier process changes nothing.
 */

/** Takes one event; returns the new state and the effects. Pure. */
export function step(state: ServerState, event: MachineEvent, spec: SupervisedSpec, moment: Moment): Step {
  if ("inc" in event && event.inc !== state.inc) return { state, effects: [] };
  const turn = react(state, event, spec, moment);
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
      ...withoutUndefined({ reason: after.reason }),
    });
  }
  return { state: after, effects };
}

/** Most answers of probes change nothing that a later agent needs to know. */
function isVerdictOnly(before: Phase, after: Phase): boolean {
  if (before.tag !== "running" || after.tag !== "running") return false;
  return (
    before.ready.settled === after.ready.settled &&
    (before.start === undefined) === (after.start === undefined)
  );
}

/** Until a run is released, its folder shows that its program started, or exited by itself. */
function isHeardAgain(event: MachineEvent, before: Phase, after: Phase): boolean {
  if (event.type === "spawned") return before.tag === "starting" && after.tag === "running";
  return event.type === "exited" && before.tag === "running" && after.tag === "ending";
}

function react(
  state: ServerState,
  event: MachineEvent,
  spec: SupervisedSpec,
  moment: Moment,
): Turn | undefined {
  const { phase } = state;
  const { now } = moment;
  switch (event.type) {
    case "start":
      return onStart(state);
    case "stop":
      return onStop(state, spec, spec.stop.signal, event);
    case "kill":
      return onStop(state, spec, "SIGKILL", event);
    case "restart":
      return onRestart(state, spec, event.reason);
    case "pause":
      return onPause(state, event.until, moment);
    case "resume":
      return onResume(state, spec, moment);
    case "start-with-agent":
      return onStartWithAgent(state, now);
    case "configured":
      return onConfigured(state, spec, moment);
    case "adopted":
      return withTimers(state, onAdopted(state, event.present, spec, moment));
    case "spawned":
      return onSpawned(state, event.process, event.at, spec, moment);
    case "spawn-failed":
      return phase.tag === "starting" ? onSpawnFailed(state, event, spec, now) : onEmptied(state, spec, now);
    case "exited":
      return onExited(state, event.exit, event.at, spec, now);
    case "emptied":
      return onEmptied(state, spec, now);
    case "timer":
      return onTimer(state, event.timer, spec, moment);
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
  moment: Moment,
): Turn | undefined {
  const { phase, inc } = state;
  if (phase.tag === "starting") return watched(state, process, at, spec, moment);
  // A signal sent before the program ran may have gone to a shell that was about to become it, or to nobody: say it
  // again, and let the grace begin with the program.
  if (phase.tag === "ending" && !phase.own && phase.process === undefined) {
    const born: ServerState = { ...state, phase: { ...phase, process, startedAt: at } };
    return end(born, phase.after, spec, phase.killed ? "SIGKILL" : spec.stop.signal, {});
  }
  return phase.tag === "failed" && phase.stuck ? killAgain(inc) : undefined;
}

/** Longest time between two attempts to start without room, ms: nobody may report when there is some again. */
const ROOM_GAP = 30_000;

/**
 * What lacked may be there again in a moment. Anything else would be found missing again. A full disk says nothing about
 * the server, and may last: it does not count as a failure, and is waited out.
 */
function onSpawnFailed(
  state: ServerState,
  { reason, passing = false, noRoom = false }: Extract<MachineEvent, { type: "spawn-failed" }>,
  spec: SupervisedSpec,
  now: number,
): Turn {
  if (!(passing || noRoom) || spec.restart.policy === "never") return fail(state, reason);
  if (noRoom) {
    const turn = follow(state, { kind: "backoff", until: now + ROOM_GAP }, now);
    const told = `${reason}; starts again ${state.paused ? "once it is resumed" : "as soon as that is possible"}`;
    return { ...turn, change: { ...turn.change, reason: told } };
  }
  const { after, change } = afterFailure(state, reason, { ready: undefined, end: "failure" }, spec, now);
  const turn = follow(state, after, now);
  return { ...turn, change: { ...change, ...turn.change } };
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

function onTimer(
  state: ServerState,
  timer: TimerName,
  spec: SupervisedSpec,
  moment: Moment,
): Turn | undefined {
  const { phase } = state;
  const { now } = moment;
  switch (timer) {
    case "backoff":
      return phase.tag === "waiting" && !state.paused ? spawn(state) : undefined;
    case "pause":
      return onPauseOver(state, spec, moment);
    case "grace":
      return phase.tag === "ending" && !phase.killed ? escalate(state, phase) : undefined;
    case "stuck":
      return giveUpKilling(phase);
    case "start":
      return phase.tag === "running" ? onStartOver(state, phase, spec, moment) : undefined;
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
