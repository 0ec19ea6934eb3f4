import { vi } from "vitest";

/**
 * Looks until `look` no longer throws, and gives what it returned: for what the outside world does not announce.
 * The bound is there to end a broken test, and is no part of what is tested.
 */
export function eventually<T>(look: () => T | Promise<T>, withinMs = 60_000): Promise<T> {
  return vi.waitFor(look, { timeout: withinMs, interval: 10 });
}
