import type { Unit } from "./manager.ts";

/**
 * Whether a process may have been started from something else than what xy wrote: somebody has changed that since
 * (`isChanged`), the process was started later than xy wrote it, and it is not the one that xy itself started. What a
 * manager had read at that moment nobody can say afterwards.
 */
export function isStale(
  { isTouched, launched, writtenAt }: Unit,
  pid: number | undefined,
  startedAt: number | undefined,
  isChanged = isTouched,
): boolean {
  if (pid === undefined || pid === launched || !isChanged) return false;
  // Starts are known to the second.
  return (
    startedAt === undefined || writtenAt === undefined || startedAt >= Math.floor(writtenAt / 1000) * 1000
  );
}
