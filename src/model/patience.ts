import { SILENCE } from "./signs.ts";
import type { ServerSpec } from "./spec.ts";
import { startTimeoutOf } from "./start.ts";

/** How long to wait for a server to start. */

export interface Patience {
  /** Longest wait, ms. */
  readonly ms: number;
  /** Extra time to see the end of a start that took too long, ms. */
  readonly slack: number;
  /** The wait also ends as soon as there is no more progress. */
  readonly whileProgress: boolean;
  /** Where the bound comes from. */
  readonly by: PatienceSource;
}

/**
 * `wait-timeout`: given by whoever waits. `start-timeout`: the server's own. `put-back`: it declares none, and until it is
 * ready nothing runs in place of its previous version.
 */
type PatienceSource = "wait-timeout" | "start-timeout" | "put-back";

/** A process that misses its start-timeout is stopped by what runs it: that is seen a little later, ms. */
export const SLACK = 5000;

/** Longest wait that the agent accepts, ms: a week. */
export const LONGEST_PATIENCE = 604_800_000;

/** Longest wait for a server's dependencies, ms: that time is not part of its own start. */
export const DEPENDENCIES_PATIENCE = 60_000;

/** `waitMs`: what whoever waits has said; undefined: while there is progress. `putsBack`: a version that ran comes back when this one does not come up. */
export function patienceFor(
  waitMs: number | undefined,
  spec: Pick<ServerSpec, "startTimeout">,
  { putsBack }: { readonly putsBack: boolean },
): Patience {
  if (waitMs !== undefined) return { ms: waitMs, slack: 0, whileProgress: false, by: "wait-timeout" };
  if (putsBack && spec.startTimeout === undefined)
    return { ms: SILENCE, slack: 0, whileProgress: false, by: "put-back" };
  const ms = Math.min(startTimeoutOf(spec), LONGEST_PATIENCE - SLACK);
  return { ms, slack: SLACK, whileProgress: true, by: "start-timeout" };
}

/** Limits the wait. */
export function atMost(longest: number, patience: Patience): Patience {
  if (longest >= patience.ms) return { ...patience, slack: Math.min(patience.slack, longest - patience.ms) };
  return { ...patience, ms: longest, slack: 0, by: "wait-timeout" };
}
