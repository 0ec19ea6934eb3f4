import type { Diagnostic } from "../model/diagnostic.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import type { evaluate } from "./evaluating.ts";

/** How an operation ended: with a value, or before its end. */

type Evaluation = Awaited<ReturnType<typeof evaluate>>;

/** Why an operation stopped before its end. */
export type Stop =
  /** The configuration cannot be used. */
  | { readonly why: "invalid"; readonly evaluation: Extract<Evaluation, { ok: false }> }
  | { readonly why: "interrupted" }
  | {
      /** `untrusted`: nobody has agreed to what would run. `refused`: the answer was no. */
      readonly why: "usage" | "locked" | "unreachable" | "untrusted" | "refused" | "failed";
      /** Without newline; each element is a line of its own. */
      readonly message: string | readonly string[];
      /** Errors of the plan, which the front was shown. */
      readonly problems?: readonly Diagnostic[];
    };

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly stop: Stop };

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value });

export function stopped(
  why: Exclude<Stop["why"], "invalid" | "interrupted">,
  message: string | readonly string[],
  problems: readonly Diagnostic[] = [],
): Outcome<never> {
  return { ok: false, stop: { why, message, problems } };
}

/** Runs an operation. An interruption, and a backend that cannot be reached, become its outcome; other errors are thrown. */
export async function settled<T>(
  signal: AbortSignal,
  operation: () => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  try {
    return await operation();
  } catch (error) {
    // Whatever fails after an interruption fails because of it.
    if (signal.aborted) return { ok: false, stop: { why: "interrupted" } };
    if (error instanceof BackendUnreachable) return stopped("unreachable", error.message);
    throw error;
  }
}
