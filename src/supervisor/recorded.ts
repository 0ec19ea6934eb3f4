import { z } from "zod";
import { exit } from "../model/spec-parts.ts";

/** Parts of a server's state that are in its record. */

/** What the retry bookkeeping remembers of a server. */
export const retries = z.object({
  /** Restarts in a row without a stable run between them: the exponent of the backoff. */
  attempt: z.int(),
  /** Unix ms of the restarts decided in the last window. */
  counted: z.array(z.number()),
  /** Restarts for failure in a row without a run that proved itself; absent: none, as in records of earlier versions. */
  failures: z.int().optional(),
  /** Starts in a row that took too long; absent: none. */
  missed: z.int().optional(),
});
export type Retries = Readonly<z.output<typeof retries>>;

export const lastExit = z.object({
  exit,
  /** Unix ms. */
  at: z.number(),
  /** The group had been signalled before: the end was asked for. */
  requested: z.boolean().exactOptional(),
});
export type LastExit = Readonly<z.output<typeof lastExit>>;

/** Nothing is started or ended by policy meanwhile. */
export const pause = z.object({
  /** Unix ms at which it began. */
  at: z.number(),
  /** Unix ms at which it ends by itself; null: only a person ends it. */
  until: z.number().nullable(),
});
export type Pause = Readonly<z.output<typeof pause>>;

const count = z.number().min(0);

/** How a server has done so far. */
export const tally = z.object({
  /** Unix ms from which on it is counted. */
  since: z.number(),
  /** Unix ms up to which it is counted. */
  at: z.number(),
  /** Ms in which it ran. */
  up: count,
  /** Ms in which it should have run and did not: it was starting, waited for its backoff, or had failed. */
  down: count,
  /** Processes that were to be started. */
  starts: count,
  /** Restarts by policy. */
  restarts: count,
  /** Exits that were no success and that nobody asked for, and failed starts. */
  failures: count,
  /** Runs that are over, ms. */
  runs: z.object({ count, total: count, shortest: count, longest: count }),
});
export type Tally = Readonly<z.output<typeof tally>>;
