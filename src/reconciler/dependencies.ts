import { CONDITION_STATE, type Condition, isMet } from "../model/dependency.ts";
import type { Change } from "../model/plan.ts";
import { isInactive } from "../model/states.ts";

/** What a plan's servers require of their dependencies. */

/** Whether the change starts or restarts the server. */
function begins({ action, desired, held }: Change): boolean {
  if (action === "add") return !held && desired?.wanted === "start";
  return action === "start" || action === "restart";
}

/**
 * What to wait for once a server starts: the strongest condition that its dependents in the plan require, `ready` if there
 * are none. `started` counts only for a dependent that is about to start: nobody else gains from the shorter wait.
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
 * Why a change must not stop its running server for a new version: the new version would wait for a dependency that is
 * inactive and that the plan does not start. A server that does not run may be started all the same if it waits by itself.
 * A dependency that is starting is trusted to succeed; about one that is not in the plan nothing is known.
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

/** Why a server that the plan does not start is inactive; undefined: it is active, or meets the condition. */
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
