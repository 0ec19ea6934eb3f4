import type { Observed } from "./observed.ts";
import type { ServerSpec } from "./spec.ts";
import { isSuccess } from "./success.ts";

/** The operator's word when there is one, else the configuration's. */
export function mayRun(spec: Pick<ServerSpec, "wanted">, observed: Pick<Observed, "operator">): boolean {
  return observed.operator === null ? spec.wanted === "start" : observed.operator === "start";
}

/**
 * The server ended by itself in a way after which its policy leaves it alone: with a success code under `on-failure`,
 * with any known end under `never`; but not before it was ready, where it has to be. An end that was asked for, or that nobody saw, explains nothing.
 */
export function isAcceptedEnd(spec: Pick<ServerSpec, "restart">, observed: Observed): boolean {
  const { lastExit, neverReady } = observed;
  if (neverReady || lastExit === undefined || lastExit.requested === true) return false;
  const { exit } = lastExit;
  switch (spec.restart.policy) {
    case "always":
      return false;
    case "never":
      return exit.kind !== "unknown";
    case "on-failure":
      return isSuccess(exit, spec);
  }
}
