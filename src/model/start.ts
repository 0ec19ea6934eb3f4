import { type Exit, formatExit } from "./observed.ts";
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

/** That one which {@link hasToBeReady} has ended with a success code, one clause. */
export function earlyEnd(exit: Exit, spec: Pick<ServerSpec, "mcp">): string {
  return `${formatExit(exit)} before it was ready: ${likelyCause(spec)}`;
}

/** What most of those turn out to be that end well at once and should have stayed. */
function likelyCause({ mcp }: Pick<ServerSpec, "mcp">): string {
  if (mcp === null) return "it may have gone into the background, or only printed its usage";
  return mcp.transport === "stdio"
    ? "somebody told xy's bridge to stop"
    : 'its input is empty, so a server that speaks MCP over stdio exits; declare that with mcp { transport "stdio" }';
}
