import type { Exit } from "../model/observed.ts";
import { isSuccess } from "../model/success.ts";
import type { SupervisedSpec } from "./events.ts";
import type { Tally } from "./recorded.ts";
import { endsForFault, isEarly, publicState, type ServerState } from "./state.ts";

/** How a server has done so far, counted from one state to the next. Pure. */

export function newTally(now: number): Tally {
  const runs = { count: 0, total: 0, shortest: 0, longest: 0 };
  return { since: now, at: now, up: 0, down: 0, starts: 0, restarts: 0, failures: 0, runs };
}

/** Counts the time in a state up to now. A clock that was set back counts nothing. */
export function counted(tally: Tally, state: ServerState, now: number): Tally {
  const passed = Math.max(0, now - tally.at);
  const up = publicState(state) === "running" ? passed : 0;
  const down = countsAsDown(state) ? passed : 0;
  return { ...tally, at: now, up: tally.up + up, down: tally.down + down };
}

/** Counts what a step of the state machine changed. */
export function tallied(
  before: Tally,
  from: ServerState,
  to: ServerState,
  spec: SupervisedSpec,
  now: number,
): Tally {
  const so = counted(before, from, now);
  const ended = endOf(from, to);
  const isOwn = ended !== undefined && to.lastExit?.requested !== true;
  const isFailure =
    (isOwn && (!isSuccess(ended, spec) || isEarly(from, spec))) ||
    (ended !== undefined && endsForFault(from));
  const isNoStart =
    from.phase.tag === "starting" && (to.phase.tag === "failed" || to.phase.tag === "waiting");
  const run =
    from.phase.tag === "running" && to.phase.tag !== "running" ? now - from.phase.startedAt : undefined;
  return {
    ...so,
    starts: so.starts + (to.inc > from.inc ? 1 : 0),
    restarts: so.restarts + Math.max(0, to.restartCount - from.restartCount),
    failures: so.failures + (isFailure || isNoStart ? 1 : 0),
    runs: run === undefined ? so.runs : withRun(so.runs, Math.max(0, run)),
  };
}

/** In a pause nobody expects it to run. */
function countsAsDown(state: ServerState): boolean {
  const name = publicState(state);
  return !state.paused && (name === "starting" || name === "restarting" || name === "failed");
}

function endOf(from: ServerState, to: ServerState): Exit | undefined {
  return to.lastExit === from.lastExit ? undefined : to.lastExit?.exit;
}

function withRun(runs: Tally["runs"], ms: number): Tally["runs"] {
  return {
    count: runs.count + 1,
    total: runs.total + ms,
    shortest: runs.count === 0 ? ms : Math.min(runs.shortest, ms),
    longest: Math.max(runs.longest, ms),
  };
}
