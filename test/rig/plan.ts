import type { Observed } from "../../src/model/observed.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { buildPlan } from "../../src/reconciler/plan.ts";
import { PROJECT } from "./spec.ts";

/** What a plan for these servers says now, as `name action`, servers that match left out. */
export function planned(specs: readonly ServerSpec[], observed: readonly Observed[]): string[] {
  const plan = buildPlan({ project: PROJECT, root: "/", servers: specs, actions: [] }, observed);
  if (!plan.ok) throw new Error(plan.problems.map(({ message }) => message).join("; "));
  const changes = plan.value.changes.filter(({ action }) => action !== "none");
  return changes.map(({ server, action }) => `${server} ${action}`);
}
