import type { StateName } from "../../../model/observed.ts";
import type { ServerSpec } from "../../../model/spec.ts";
import { isSuccess } from "../../../model/success.ts";
import type { Live, Unit } from "../manager.ts";
import { isStale } from "../stale.ts";
import { type Pending, type ProcessInfo, STATES } from "./client.ts";

/** A server's state, from what supervisord reports. */

/** `pending` is undefined if supervisord cannot read its files. */
export function liveOf(unit: Unit, info: ProcessInfo | undefined, pending: Pending | undefined): Live {
  if (info === undefined) return { state: "stopped", drift: ["supervisord does not have it"], stale: false };
  const { spec, isEdited } = unit;
  const state = stateOf(spec, info);
  const since = info.stop > 0 && info.pid === 0 ? info.stop : info.start;
  const isChanged = pending?.changed.includes(info.name) ?? false;
  const isRemoved = pending?.removed.includes(info.name) ?? false;
  // What it runs differs from its file: because the file changed, or what it has loaded?
  const isOther = isEdited ? pending !== undefined && !isChanged && !isRemoved : isChanged;
  return {
    state,
    drift: [],
    stale: info.pid > 0 && isStale(unit, info.pid, info.start * 1000, isOther),
    ...(since > 0 ? { since: since * 1000 } : {}),
    ...(info.pid > 0 ? { pid: info.pid, startedAt: info.start * 1000 } : {}),
    ...(info.stop > 0 && info.pid === 0 && info.state !== STATES.fatal ? { lastExit: lastExitOf(info) } : {}),
    ...reasonOf(info),
  };
}

function stateOf(spec: ServerSpec, info: ProcessInfo): StateName {
  return info.state === STATES.exited && isStartedAgain(spec, info) ? "restarting" : processState(info.state);
}

/** The meaning of supervisord's number for a state. One that exited by itself counts as stopped here. */
export function processState(state: number): StateName {
  switch (state) {
    case STATES.starting:
      return "starting";
    case STATES.running:
      return "running";
    case STATES.backoff:
      return "restarting";
    case STATES.stopping:
      return "stopping";
    case STATES.fatal:
      return "failed";
    default:
      return "stopped";
  }
}

/** Whether supervisord will restart it: it looks once a second. */
function isStartedAgain({ restart }: ServerSpec, { exitstatus }: ProcessInfo): boolean {
  if (restart.policy === "never") return false;
  return restart.policy === "always" || !isSuccess({ kind: "code", code: exitstatus }, { restart });
}

/** `stopped`: on request; `exited`: by itself. */
function lastExitOf({ state, exitstatus, stop }: ProcessInfo): NonNullable<Live["lastExit"]> {
  const exit =
    exitstatus < 0
      ? ({ kind: "signal", signal: "a signal" } as const)
      : ({ kind: "code", code: exitstatus } as const);
  return { exit, at: stop * 1000, ...(state === STATES.stopped ? { requested: true } : {}) };
}

/** How it reports an exit in the first second, without the code. */
const TOO_QUICK = /^Exited too quickly/;

function reasonOf({ state, exitstatus, spawnerr }: ProcessInfo): Pick<Live, "reason"> {
  if (spawnerr !== "" && !TOO_QUICK.test(spawnerr)) return { reason: spawnerr };
  switch (state) {
    case STATES.fatal:
      return { reason: "it exited too soon each time" };
    case STATES.backoff:
      return { reason: "it exited too soon" };
    case STATES.exited:
      return { reason: exitstatus < 0 ? "ended: a signal" : `ended: exit ${exitstatus}` };
    default:
      return {};
  }
}
