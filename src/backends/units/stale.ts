import type { Unit } from "./manager.ts";

/**
 * Whether a process may have been started from something other than what xy wrote: somebody changed that since
 * (`isChanged`), the process started after xy wrote it, and xy itself did not start it. Nobody can tell afterwards what the
 * manager had read by then.
 */
export function isStale(
  { isTouched, launched, writtenAt }: Unit,
  pid: number | undefined,
  startedAt: number | undefined,
  isChanged = isTouched,
): boolean {
  if (pid === undefined || pid === launched || !isChanged) return false;
  // Start times are known to the second.
  return (
    startedAt === undefined || writtenAt === undefined || startedAt >= Math.floor(writtenAt / 1000) * 1000
  );
}
