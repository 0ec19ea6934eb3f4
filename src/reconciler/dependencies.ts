import { CONDITION_STATE, type Condition, isMet } from "../model/dependency.ts";
import type { Change } from "../model/plan.ts";
import { isInactive } from "../model/states.ts";

/** What the servers of a plan ask of those that they depend on. */

/** Whether carrying it out starts the server, or starts it anew. */
function begins({ action, desired, held }: Change): boolean {
  if (action === "add") return !held && desired?.wanted === "start";
  return action === "start" || action === "restart";
}

/**
 * What to wait for once a server begins: the strongest condition that its dependents in the plan ask for, `ready` when
 * there are none. `started` counts only for a dependent that is about to begin: nobody else gains by the shorter wait.
 */
export function awaitedCondition(server: string, changes: readonly Change[]): Condition {
  const asked = changes.flatMap((dependent) => {
    const of = (dependent.desired?.dependsOn ?? []).filter((dependency) => dependency.server === server);
    return of
      .map(({ condition }) => condition)
      .filter((condition) => condition !== "started" || begins(dependent));
  });
  if (asked.includes("completed")) return "completed";
  return asked.length === 0 || asked.includes("ready") ? "ready" : "started";
}

/**
 * Why a change must not end what runs of its server for a new version: that would have to wait for something that
 * rests and that the plan does not start. What does not run may be begun all the same where it waits by itself. A
 * dependency that is on its way is trusted to arrive; of one that is not in the plan nothing is known.
 */
export function restingDependency(
  change: Change,
  changes: readonly Change[],
  waits = true,
): string | undefined {
  if (waits ? change.action !== "restart" : !begins(change)) return undefined;
  for (const { server, condition } of change.desired?.dependsOn ?? []) {
    const dependency = changes.find((other) => other.server === server && other.action !== "remove");
    const rest = dependency && !begins(dependency) ? restOf(dependency, condition) : undefined;
    if (rest === undefined) continue;
    return `${server} ${rest}, and ${change.server} needs it ${CONDITION_STATE[condition]}: run \`xy start ${server}\`, then apply again`;
  }
  return undefined;
}

/** How a server that the plan does not start rests; undefined: it does not, or its condition is met. */
function restOf({ action, desired, observed, held }: Change, condition: Condition): string | undefined {
  if (action === "add" || action === "stop") return held ? "is held" : "is wanted stopped";
  if (observed === undefined) return undefined;
  const { waitsFor, spec = desired, ...seen } = observed;
  const waits = waitsFor?.map(({ server }) => server);
  if (isMet({ ...seen, ...(spec && { spec }), ...(waits && { waits }) }, condition)) return undefined;
  if (held) return "is held";
  if (!isInactive(observed.state)) return undefined;
  if (waits) return `waits for ${waits.join(", ")}`;
  return `is ${observed.state}${observed.reason === undefined ? "" : ` (${observed.reason})`}`;
}
