/** Which runs of a schedule are due. Pure: it is given the times of the schedule. */

/** A run that comes no later than this after its time is on time, ms: agents are replaced, machines are busy. */
const ON_TIME = 60_000;
/** A clock that was set back by less stays ahead of what has run; one that was set back by more was wrong before, ms. */
const MOST_SET_BACK = 3 * 3_600_000;

export interface Scheduled {
  /** Unix ms: times up to then are dealt with. */
  readonly last: number;
  /** What happens to times that were missed: one run for all of them, or none. */
  readonly missed: "once" | "skip";
  /** The first time of the schedule after a moment, unix ms; null: there is none. */
  readonly next: (after: number) => number | null;
}

export interface Due {
  readonly run: "on-time" | "missed" | null;
  /** The new `last`. */
  readonly last: number;
}

/** One run at most, however many times of the schedule have passed. */
export function dueRun({ last, missed, next }: Scheduled, now: number): Due {
  if (last > now) return { run: null, last: last - now > MOST_SET_BACK ? now : last };
  const isPast = (time: number | null) => time !== null && time <= now;
  if (!isPast(next(last))) return { run: null, last };
  if (isPast(next(Math.max(last, now - ON_TIME)))) return { run: "on-time", last: now };
  return { run: missed === "once" ? "missed" : null, last: now };
}
