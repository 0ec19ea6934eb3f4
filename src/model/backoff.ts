/** Larger exponents would end in Infinity, and no backoff at all in NaN. */
const MAX_EXPONENT = 50;

/** The wait before a restart, ms: it doubles with every attempt, from `initial` to `max`. `attempt`: from 0. */
export function backoffDelay(attempt: number, initial: number, max: number): number {
  return Math.min(initial * 2 ** Math.min(attempt, MAX_EXPONENT), max);
}
