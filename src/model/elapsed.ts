/** Spans of time as people say them, coarse on purpose. `units.ts` has the exact forms of configuration files. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS = [
  [DAY, "day", "d"],
  [HOUR, "hour", "h"],
  [MINUTE, "minute", "m"],
  [SECOND, "second", "s"],
] as const;

/** Whole seconds since a time (unix ms); 0 if it lies in the future: the clock may have been set back. */
export function secondsSince(at: number, now: number): number {
  return Math.max(0, Math.floor((now - at) / SECOND));
}

/** 190000 (ms) → `"3 minutes"`; less than a second → `"a moment"`. */
export function span(ms: number): string {
  const step = STEPS.find(([size]) => ms >= size);
  if (step === undefined) return "a moment";
  const count = Math.floor(ms / step[0]);
  return `${count} ${step[1]}${count === 1 ? "" : "s"}`;
}

/** 190000 (ms) → `"3 minutes ago"`; less than a second, or in the future → `"just now"`. */
export function ago(ms: number): string {
  return ms < SECOND ? "just now" : `${span(ms)} ago`;
}

/** 7_980_000 (ms) → `"2h 13m"`: the two largest units, the second one only when it is not zero. */
export function uptime(ms: number): string {
  const first = STEPS.findIndex(([size]) => ms >= size);
  if (first < 0) return "0s";
  const parts = STEPS.slice(first, first + 2).map(([size, , unit], i) => {
    const count = Math.floor((i === 0 ? ms : ms % (STEPS[first]?.[0] ?? 1)) / size);
    return { count, text: `${count}${unit}` };
  });
  return parts
    .filter(({ count }) => count > 0)
    .map(({ text }) => text)
    .join(" ");
}
