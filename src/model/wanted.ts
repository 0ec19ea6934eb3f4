import type { Observed } from "./observed.ts";
import type { ServerSpec } from "./spec.ts";

/** The operator's word when there is one, else the configuration's. */
export function mayRun(spec: Pick<ServerSpec, "wanted">, observed: Pick<Observed, "operator">): boolean {
  return observed.operator === null ? spec.wanted === "start" : observed.operator === "start";
}
