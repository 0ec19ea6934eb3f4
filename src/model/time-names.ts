import type { z } from "zod";
import type { Observed } from "./observed.ts";
import type * as schema from "./observed-schema.ts";
import { withoutUndefined } from "./without-undefined.ts";

type PauseTimes = Readonly<z.output<typeof schema.pauseTimes>>;

/** The names of times in documents and on the wire; those of {@link Observed} stay until 1.0. */
interface Times<T extends Partial<Observed>> extends Readonly<z.output<typeof schema.timeNames>> {
  readonly paused?: NonNullable<T["paused"]> & PauseTimes;
}

/** An observation whose times also have the names that say their unit. */
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
