import type { ActionSpec } from "../model/action.ts";
import { backoffDelay } from "../model/backoff.ts";
import { cannotHappen } from "../model/cannot-happen.ts";
import { type Exit, formatExit } from "../model/observed.ts";
import { formatDuration } from "../model/units.ts";

/** What follows when an attempt of a job is over. Pure. */

export type Outcome =
  /** It could not be started: another attempt would find the same. */
  | { readonly kind: "not-started"; readonly error: string }
  /** It was cancelled, by a person or for its server. */
  | { readonly kind: "cancelled"; readonly error: string }
  | { readonly kind: "timeout"; readonly error: string }
  | { readonly kind: "exit"; readonly exit: Exit };

export type AfterAttempt =
  | {
      readonly kind: "over";
      readonly phase: "succeeded" | "failed" | "cancelled";
      readonly error: string | null;
    }
  /** Another attempt, after so many ms. */
  | { readonly kind: "again"; readonly ms: number; readonly error: string };

/** `attempt`: the one that is over, from 1. */
export function afterAttempt(
  attempt: number,
  outcome: Outcome,
  retries: ActionSpec["retries"],
): AfterAttempt {
  switch (outcome.kind) {
    case "cancelled":
      return { kind: "over", phase: "cancelled", error: outcome.error };
    case "not-started":
      return { kind: "over", phase: "failed", error: outcome.error };
    case "timeout":
      return failed(attempt, outcome.error, retries);
    case "exit":
      if (outcome.exit.kind === "code" && outcome.exit.code === 0)
        return { kind: "over", phase: "succeeded", error: null };
      return failed(attempt, formatExit(outcome.exit), retries);
    default:
      return cannotHappen(outcome);
  }
}

function failed(attempt: number, how: string, retries: ActionSpec["retries"]): AfterAttempt {
  if (attempt > retries.max) return { kind: "over", phase: "failed", error: how };
  const ms = backoffDelay(attempt - 1, retries.backoffInitial, retries.backoffMax);
  const of = retries.max + 1;
  return {
    kind: "again",
    ms,
    error: `${how}; attempt ${attempt + 1} of ${of} begins after ${formatDuration(ms)}`,
  };
}
