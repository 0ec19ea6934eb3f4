import { cannotHappen } from "../model/cannot-happen.ts";
import type { Verdict } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import type { Probe } from "../model/spec-parts.ts";
import { formatDuration } from "../model/units.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { Effect, Moment, ProbeName, SupervisedSpec, Turn } from "./events.ts";
import { afterFailure, end } from "./incarnation.ts";
import { type Answer, isSameCheck, nextGap, takeAnswer, takeEarlyAnswer, untried } from "./probes.ts";
import { newStart, pastStart, startTimer, withoutStart } from "./starting.ts";
import { type Phase, readyFor, type ServerState, type StartClock } from "./state.ts";

/** The probes and timers of a running process. */

/** A server without a readiness probe counts as ready when it has been up this long, ms. */
const UP_AFTER = 1000;

export type Running = Extract<Phase, { tag: "running" }>;

/** The running phase of a new process, with nothing known of its probes, and the first of them on their way. */
export function watched(
  state: ServerState,
  process: ProcessId,
  at: number,
  spec: SupervisedSpec,
  moment: Moment,
): Turn {
  const life = { process, startedAt: at, start: newStart(state.paused, moment) };
  return watchedFrom(state, life, spec, moment);
}

type Life = Pick<Running, "process" | "startedAt" | "readyAt"> & { readonly start?: StartClock | undefined };

function watchedFrom({ inc }: ServerState, life: Life, spec: SupervisedSpec, moment: Moment): Turn {
  const { now } = moment;
  const { start, readyAt, process, startedAt } = life;
  const ready = untried(
    now,
    spec.readiness.type === "log" ? `no line of output matches ${spec.readiness.pattern} yet` : undefined,
  );
  const uptime = Math.max(0, now - startedAt);
  const liveness = firstLiveness(spec, inc, start, uptime);
  const healthy = { ...untriedHealth(spec, now), sent: liveness?.type === "probe" ? 1 : 0 };
  const phase: Running = {
    tag: "running",
    process,
    startedAt,
    ...withoutUndefined({ readyAt, start }),
    ready,
    healthy,
  };
  const effects = [firstReadiness(spec, inc, uptime), ...startTimer(start, spec, inc, moment), liveness];
  return { change: { phase }, effects: effects.filter((effect) => effect !== undefined) };
}

/** Liveness begins when the start is over. What has no readiness probe has no other sign of that than its age. */
function firstLiveness(
  { liveness, readiness }: SupervisedSpec,
  inc: number,
  start: StartClock | undefined,
  uptime: number,
): Effect | undefined {
  if (liveness.type === "none") return undefined;
  if (readiness.type === "none") {
    const ms = Math.max(0, liveness.startPeriod - uptime);
    return { type: "setTimer", inc, timer: "start-period", ms };
  }
  return start === undefined ? { type: "probe", inc, probe: "liveness" } : undefined;
}

function untriedHealth({ liveness }: SupervisedSpec, now: number): Running["healthy"] {
  return untried(now, liveness.type === "none" ? "it has no liveness check" : undefined);
}

function firstReadiness(spec: SupervisedSpec, inc: number, uptime: number): Effect {
  if (spec.readiness.type !== "none") return { type: "probe", inc, probe: "readiness" };
  return { type: "setTimer", inc, timer: "readiness", ms: Math.max(0, UP_AFTER - uptime) };
}

/**
 * A process that ran before this spec, or this agent. Its start goes on, or is over already, and a line of output that
 * once made it ready does not come again.
 */
export function rewatched(state: ServerState, phase: Running, spec: SupervisedSpec, moment: Moment): Turn {
  const turn = watchedFrom(state, phase, spec, moment);
  const again = turn.change.phase as Running;
  const { ready } = phase;
  if (spec.readiness.type !== "log" || !ready.settled) return turn;
  const verdict: Verdict = { status: "ok", evidence: "was ready before", at: moment.now };
  const kept = ready.verdict.status === "ok" ? ready : { ...ready, verdict };
  const isAsked = (effect: Effect) => effect.type === "probe" && effect.probe === "readiness";
  return {
    change: { phase: { ...again, ready: kept } },
    effects: (turn.effects ?? []).filter((effect) => !isAsked(effect)),
  };
}

/** Of a server without a readiness probe the start period is over: liveness counts from now on. */
export function onStartPeriodOver(
  state: ServerState,
  phase: Running,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  if (spec.liveness.type === "none" || spec.readiness.type !== "none" || phase.healthy.sent > 0)
    return undefined;
  const uptime = now - phase.startedAt;
  const left = spec.liveness.startPeriod - uptime;
  // A timer of the spec before came early. (After the clock was set back uptime says nothing, and the timer counts.)
  if (uptime < 0 || left <= 0) return sendProbe(state, phase, "liveness");
  return { change: {}, effects: [{ type: "setTimer", inc: state.inc, timer: "start-period", ms: left }] };
}

export function onReadinessDue(
  state: ServerState,
  phase: Running,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  switch (spec.readiness.type) {
    case "none":
      return onReadiness(
        state,
        phase,
        { ok: true, evidence: `up for ${formatDuration(UP_AFTER)}` },
        spec,
        now,
      );
    case "log":
      // Asked for once: the answer comes when the line does.
      return undefined;
    case "mcp":
    case "http":
    case "tcp":
    case "command":
      return sendProbe(state, phase, "readiness");
    default:
      return cannotHappen(spec.readiness);
  }
}

export function onLivenessDue(state: ServerState, phase: Running, spec: SupervisedSpec): Turn | undefined {
  const hasBegun = spec.liveness.type !== "none" && phase.healthy.sent > 0;
  return hasBegun ? sendProbe(state, phase, "liveness") : undefined;
}

function sendProbe(state: ServerState, phase: Running, probe: ProbeName): Turn {
  const key = probe === "readiness" ? "ready" : "healthy";
  const track = { ...phase[key], sent: phase[key].sent + 1 };
  return {
    change: { phase: { ...phase, [key]: track } },
    effects: [{ type: "probe", inc: state.inc, probe }],
  };
}

/** An answer to a question that is not asked, or no longer asked, says nothing. */
export function onAnswered(
  state: ServerState,
  phase: Running,
  probe: ProbeName,
  answer: Answer,
  spec: SupervisedSpec,
  now: number,
): Turn | undefined {
  if (spec[probe].type === "none") return undefined;
  // Nothing was asked yet: what was asked for the spec before must not end a server in its start.
  if (probe === "liveness" && phase.healthy.sent === 0) return undefined;
  return probe === "readiness"
    ? onReadiness(state, phase, answer, spec, now)
    : onLiveness(state, phase, answer, spec, now);
}

function onReadiness(
  state: ServerState,
  phase: Running,
  answer: Answer,
  spec: SupervisedSpec,
  now: number,
): Turn {
  const { readiness } = spec;
  const { inc } = state;
  if (answer.unknowable) return livenessBegun(withoutStart(phase, answer.evidence, now), spec, inc);
  const take = isStarting(phase, readiness, now) ? takeEarlyAnswer : takeAnswer;
  const ready = take(phase.ready, answer, readiness, now);
  const seen: Running = { ...phase, ready };
  const turn = livenessBegun(ready.settled ? pastStart(seen, now) : seen, spec, inc);
  const effects: Effect[] = [...(turn.effects ?? [])];
  if (ready.settled && phase.start !== undefined) effects.push({ type: "cancelTimer", inc, timer: "start" });
  if (isPolled(readiness) && !answersForReadiness(ready, spec) && !(ready.settled && answer.costly)) {
    effects.push({ type: "setTimer", inc, timer: "readiness", ms: nextGap(ready, readiness) });
  }
  return { ...turn, effects };
}

function livenessBegun(phase: Running, { liveness, readiness }: SupervisedSpec, inc: number): Turn {
  const begins =
    phase.start === undefined &&
    phase.healthy.sent === 0 &&
    liveness.type !== "none" &&
    readiness.type !== "none";
  if (!begins) return { change: { phase } };
  return {
    change: { phase: { ...phase, healthy: { ...phase.healthy, sent: 1 } } },
    effects: [{ type: "setTimer", inc, timer: "liveness", ms: liveness.interval }],
  };
}

/** It was not ready yet, and has the time for that. */
function isStarting({ ready, startedAt }: Running, probe: Probe, now: number): boolean {
  return probe.type !== "none" && !ready.settled && now - startedAt < probe.startPeriod;
}

/** Looked at again and again; a line of output is waited for instead. */
function isPolled(probe: Probe): probe is Exclude<Probe, { type: "none" | "log" }> {
  return probe.type !== "none" && probe.type !== "log";
}

/** Once ready, a liveness probe that looks at the same thing keeps both verdicts fresh. */
function answersForReadiness(ready: Running["ready"], spec: SupervisedSpec): boolean {
  return ready.settled && isSameCheck(spec.readiness, spec.liveness);
}

function onLiveness(
  state: ServerState,
  phase: Running,
  answer: Answer,
  spec: SupervisedSpec,
  now: number,
): Turn {
  const { readiness, liveness } = spec;
  if (liveness.type === "none") return { change: {} };
  const healthy = takeAnswer(phase.healthy, answer, liveness, now);
  const ready = answersForReadiness(phase.ready, spec)
    ? takeAnswer(phase.ready, answer, readiness, now)
    : phase.ready;
  const next: Running = { ...phase, healthy, ready };
  if (healthy.verdict.status === "failing" && !state.paused)
    return onUnhealthy({ ...state, phase: next }, next, spec, now);
  const effects: Effect[] = [{ type: "setTimer", inc: state.inc, timer: "liveness", ms: liveness.interval }];
  return { change: { phase: next }, effects };
}

/** A server that fails its liveness probe is ended, and what follows is decided as for a crash. */
function onUnhealthy(state: ServerState, phase: Running, spec: SupervisedSpec, now: number): Turn {
  const cause = `liveness failed: ${phase.healthy.verdict.evidence}`;
  if (spec.restart.policy === "never") {
    return end(state, { kind: "rest" }, spec, spec.stop.signal, { reason: cause });
  }
  const run = { ready: readyFor(state, now), end: "failure" } as const;
  const { after, change } = afterFailure(state, cause, run, spec, now);
  return end(state, after, spec, spec.stop.signal, change);
}
