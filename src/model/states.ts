/** What a server's state may be. A file of its own: schemas need the values, `observed.ts` their types, and neither the other. */
export const STATES = ["stopped", "starting", "running", "restarting", "failed", "stopping"] as const;
