import type { ServerSpec } from "./spec.ts";

/** What the start of a server is: from its process to the moment in which that is ready. */

/** Of a server whose start has no bound of its own, ms. */
const USUAL_START_TIMEOUT = 300_000;

/** Longest time from the start of its process until it is ready, ms. */
export function startTimeoutOf({ startTimeout }: Pick<ServerSpec, "startTimeout">): number {
  return startTimeout ?? USUAL_START_TIMEOUT;
}

/**
 * It is there to answer somebody: a process of it that ends before it was ready has failed, whatever its exit code. Any
 * other one may be a job that is done.
 */
export function hasToBeReady({
  port,
  mcp,
  readiness,
}: Pick<ServerSpec, "port" | "mcp" | "readiness">): boolean {
  return port !== null || mcp !== null || readiness.type !== "none";
}
