import type { Exit } from "../model/observed.ts";
import type { ServerSpec } from "../model/spec.ts";

/** Length of the window in which restarts are counted, ms. */
const RETRY_WINDOW = 60_000;

/** What the retry bookkeeping remembers of a server. */
export interface Retries {
  /** Restarts in a row without a stable run between them: the exponent of the backoff. */
  readonly attempt: number;
  /** Unix ms of the restarts decided in the last window. */
  readonly counted: readonly number[];
}

export const NO_RETRIES: Retries = { attempt: 0, counted: [] };

export type Decision =
  | { readonly kind: "restart"; readonly delay: number; readonly retries: Retries }
  | { readonly kind: "rest" }
  | { readonly kind: "give-up" };

export function isSuccess(exit: Exit, spec: Pick<ServerSpec, "restart">): boolean {
  return exit.kind === "code" && spec.restart.successExitCodes.includes(exit.code);
}

/** What the restart policy says of an end. A signal and an unknown end count as failures. */
export function wantsRestart(exit: Exit, spec: Pick<ServerSpec, "restart">): boolean {
  switch (spec.restart.policy) {
    case "never":
      return false;
    case "always":
      return true;
    case "on-failure":
      return !isSuccess(exit, spec);
  }
}

/**
 * Decides on one more restart, after a run of `uptime` ms. The delay doubles with every attempt, from
 * backoffInitial to backoffMax, and starts over only after a run of at least resetAfter. With
 * maxRetriesPerMinute restarts decided in the last minute the answer is to give up; an answer other than a
 * restart is not counted.
 */
export function decideRestart(
  retries: Retries,
  uptime: number,
  spec: Pick<ServerSpec, "restart">,
  now: number,
): Decision {
  const { maxRetriesPerMinute, resetAfter } = spec.restart;
  // After the clock was set back, a restart seems to lie ahead: it counts as one decided now, not for longer.
  const counted = retries.counted.map((at) => Math.min(at, now)).filter((at) => at > now - RETRY_WINDOW);
  if (counted.length >= maxRetriesPerMinute) return { kind: "give-up" };
  const attempt = uptime >= resetAfter ? 0 : retries.attempt;
  const delay = backoff(attempt, spec);
  return { kind: "restart", delay, retries: { attempt: attempt + 1, counted: [...counted, now] } };
}

/** Larger exponents would end in Infinity, and no backoff at all in NaN. */
const MAX_EXPONENT = 50;

function backoff(attempt: number, spec: Pick<ServerSpec, "restart">): number {
  const { backoffInitial, backoffMax } = spec.restart;
  return Math.min(backoffInitial * 2 ** Math.min(attempt, MAX_EXPONENT), backoffMax);
}
