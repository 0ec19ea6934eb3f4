import type { StateName } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { isSuccess } from "../../model/success.ts";
import type { Live, Unit } from "./manager.ts";
import { isStale } from "./stale.ts";
import { type Pending, type ProcessInfo, STATES } from "./supervisord-client.ts";

/** How a server is, from what supervisord tells of it. */

/** `pending` undefined: it cannot read its files. */
export function liveOf(unit: Unit, info: ProcessInfo | undefined, pending: Pending | undefined): Live {
  if (info === undefined) return { state: "stopped", drift: ["supervisord does not have it"], stale: false };
  const { spec, isEdited } = unit;
  const state = stateOf(spec, info);
  const since = info.stop > 0 && info.pid === 0 ? info.stop : info.start;
  const isChanged = pending?.changed.includes(info.name) ?? false;
  const isRemoved = pending?.removed.includes(info.name) ?? false;
  // What it runs is not what its file says: is that because of the file, or of what it has loaded?
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

/** What its number for a state means. One that ended by itself rests, as far as this tells. */
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

/** It rests for a moment only: supervisord looks around once a second. */
function isStartedAgain(spec: ServerSpec, { exitstatus }: ProcessInfo): boolean {
  const { policy } = spec.restart;
  if (policy === "never") return false;
  return policy === "always" || !isSuccess({ kind: "code", code: exitstatus }, spec);
}

/** `stopped` by request, `exited` by itself. */
function lastExitOf({ state, exitstatus, stop }: ProcessInfo): NonNullable<Live["lastExit"]> {
  const exit =
    exitstatus < 0
      ? ({ kind: "signal", signal: "a signal" } as const)
      : ({ kind: "code", code: exitstatus } as const);
  return { exit, at: stop * 1000, ...(state === STATES.stopped ? { requested: true } : {}) };
}

/** What it calls an end in the first second, of which it does not tell the code. */
const TOO_QUICK = /^Exited too quickly/;

function reasonOf({ state, exitstatus, spawnerr }: ProcessInfo): Pick<Live, "reason"> {
  if (spawnerr !== "" && !TOO_QUICK.test(spawnerr)) return { reason: spawnerr };
  switch (state) {
    case STATES.fatal:
      return { reason: "it ended too soon each time" };
    case STATES.backoff:
      return { reason: "it ended too soon" };
    case STATES.exited:
      return { reason: exitstatus < 0 ? "ended: a signal" : `ended: exit ${exitstatus}` };
    default:
      return {};
  }
}
