/** What a server's state may be. A file of its own: schemas need the values, `observed.ts` their types, and neither the other. */
export const STATES = ["stopped", "starting", "running", "restarting", "failed", "stopping"] as const;

type State = (typeof STATES)[number];

/** A process of it exists, or is about to. */
export function isUp(state: State): boolean {
  return state === "running" || state === "starting";
}

/** The same, or one follows automatically. */
export function isUpOrRestarting(state: State): boolean {
  return isUp(state) || state === "restarting";
}

/** It does not run, and nothing is about to start or stop it. */
export function isInactive(state: State): boolean {
  return state === "stopped" || state === "failed";
}
