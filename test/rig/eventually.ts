import { setTimeout as pass } from "node:timers/promises";

/** Shortest and longest time between two looks, ms: a look often costs more than what is waited for. */
const GAPS = { first: 5, last: 100 };

/**
 * Looks until `look` no longer throws, and gives what it returned: for what the outside world does not announce.
 * The bound is there to end a broken test, and is no part of what is tested.
 */
export async function eventually<T>(look: () => T | Promise<T>, withinMs = 60_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (let gap = GAPS.first; ; gap = Math.min(2 * gap, GAPS.last)) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() >= end) throw error;
    }
    await pass(gap);
  }
}
