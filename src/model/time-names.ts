import type { Observed } from "./observed.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** Of a pause: the same times with their unit in the name. */
export interface PauseTimes {
  readonly at_unix_ms: number;
  readonly until_unix_ms?: number;
}

/** The names, and only names, that documents and the wire have for times; those of {@link Observed} stay until 1.0. */
interface Times<T extends Partial<Observed>> {
  readonly started_at_unix_ms?: number;
  readonly next_start_at_unix_ms?: number;
  readonly paused?: NonNullable<T["paused"]> & PauseTimes;
}

/** An observation as others read it: its times also by the names that say their unit. */
export function withTimeNames<T extends Pick<Partial<Observed>, "startedAt" | "nextStartAt" | "paused">>(
  observed: T,
): T & Times<T> {
  const { startedAt, nextStartAt, paused } = observed;
  const names = withoutUndefined({
    started_at_unix_ms: startedAt,
    next_start_at_unix_ms: nextStartAt,
    paused: paused && { ...paused, ...pauseTimes(paused) },
  });
  return { ...observed, ...names } as T & Times<T>;
}

export function pauseTimes({ at, until }: NonNullable<Observed["paused"]>): PauseTimes {
  return { at_unix_ms: at, ...withoutUndefined({ until_unix_ms: until }) };
}
