/** What a server's state may be. A file of its own: schemas need the values, `observed.ts` their types, and neither the other. */
export const STATES = ["stopped", "starting", "running", "restarting", "failed", "stopping"] as const;

/** It does not run, and nothing is about to start it or end it. */
export function isAtRest(state: (typeof STATES)[number]): boolean {
  return state === "stopped" || state === "failed";
}
