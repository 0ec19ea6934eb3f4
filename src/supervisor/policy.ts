import { backoffDelay } from "../model/backoff.ts";
import { cannotHappen } from "../model/cannot-happen.ts";
import type { Exit } from "../model/observed.ts";
import type { ServerSpec } from "../model/spec.ts";
import { isSuccess } from "../model/success.ts";
import type { Retries } from "./recorded.ts";

/** Length of the window in which restarts are counted, ms. */
const RETRY_WINDOW = 60_000;
/** A process that was ready for this long has shown that it works, ms: what came before is forgiven. */
const PROVEN = 60_000;
/**
 * Restarts for failure in a row, none of which led to a run that proved itself: a backoff that grows keeps them out of
 * the window's reach. Whoever allows more of them in one minute means that.
 */
const MOST_IN_A_ROW = 10;
/** Starts in a row that took too long. */
const MOST_MISSED = 3;

export const NO_RETRIES: Retries = { attempt: 0, counted: [] };

/** The run of a process that is over, or is about to be ended. */
export interface Run {
  /** Ms from the moment in which it was ready; undefined: it never was. */
  readonly ready: number | undefined;
  /** `missed`: it was not ready in time. `success`: it ended well, and is only started again. */
  readonly end: "failure" | "missed" | "success";
}

export type RestartDecision =
  | { readonly kind: "restart"; readonly delay: number; readonly retries: Retries }
  /** `because`: one clause. */
  | { readonly kind: "give-up"; readonly because: string };

type RestartSpec = Pick<ServerSpec, "restart">;

/** What the restart policy says of an end. A signal and an unknown end count as failures. */
export function wantsRestart(exit: Exit, spec: RestartSpec): boolean {
  switch (spec.restart.policy) {
    case "never":
      return false;
    case "always":
      return true;
    case "on-failure":
      return !isSuccess(exit, spec);
    default:
      return cannotHappen(spec.restart.policy);
  }
}

/**
 * Decides on one more restart. The delay doubles with every attempt, from backoffInitial to backoffMax, and starts over
 * only after a run that was ready for at least resetAfter. It gives up with maxRetriesPerMinute restarts decided in the
 * last minute, after ten restarts for failure in a row without a minute's run, and after three starts in a row that took
 * too long; an answer other than a restart is not counted.
 */
export function decideRestart(retries: Retries, run: Run, spec: RestartSpec, now: number): RestartDecision {
  const { maxRetriesPerMinute: limit, resetAfter } = spec.restart;
  // After the clock was set back, a restart seems to lie ahead: it counts as one decided now, not for longer.
  const counted = retries.counted.map((at) => Math.min(at, now)).filter((at) => at > now - RETRY_WINDOW);
  const ready = run.ready ?? 0;
  const failures = (ready >= PROVEN ? 0 : (retries.failures ?? 0)) + (run.end === "success" ? 0 : 1);
  const missed = run.end === "missed" ? (retries.missed ?? 0) + 1 : 0;
  const because = obstacle({ counted: counted.length, limit, failures, missed });
  if (because !== undefined) return { kind: "give-up", because };
  const attempt = run.ready !== undefined && ready >= resetAfter ? 0 : retries.attempt;
  const delay = backoffDelay(attempt, spec.restart.backoffInitial, spec.restart.backoffMax);
  return {
    kind: "restart",
    delay,
    retries: { attempt: attempt + 1, counted: [...counted, now], failures, missed },
  };
}

interface Counts {
  readonly counted: number;
  readonly limit: number;
  readonly failures: number;
  readonly missed: number;
}

function obstacle({ counted, limit, failures, missed }: Counts): string | undefined {
  if (counted >= limit) return `${limit} ${limit === 1 ? "restart" : "restarts"} in the last minute`;
  if (missed >= MOST_MISSED) return `${MOST_MISSED} starts in a row took too long`;
  const most = Math.max(MOST_IN_A_ROW, limit);
  return failures > most ? `${most} restarts in a row, and never ready for a minute` : undefined;
}
