import type { ServerSpec } from "../../model/spec.ts";
import { isInactive } from "../../model/states.ts";
import { STUCK_AFTER } from "../../supervisor/machine.ts";
import { publicState, type ServerState } from "../../supervisor/state.ts";

/** Longest time from the decision to start until the program runs or its start has failed, ms. */
const SPAWN_BOUND = 15_000;

/** Longest time from a stop until every process has exited, or could not be killed, ms. */
export function stopBound(spec: Pick<ServerSpec, "stop">): number {
  return SPAWN_BOUND + spec.stop.grace + STUCK_AFTER;
}

/**
 * Its state is `stopped` or `failed`: nothing runs but what could not be killed, and the state machine starts nothing by
 * itself. A start may be owed all the same.
 */
export function isDown({ state }: { readonly state: ServerState }): boolean {
  return isInactive(publicState(state));
}
