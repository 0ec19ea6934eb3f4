/** Durations and sizes as people write them. Durations are milliseconds inside, sizes bytes. */

const DURATION_UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
/** Longest pause of a server, ms: seven days. */
export const LONGEST_PAUSE = 604_800_000;
const SIZE_UNITS = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, B: 1 } as const;

/**
 * Matches `250ms`, `2s`, `1.5s`, `1m30s`, `1d`: units from large to small, each once at most. Also as systemd and people
 * write them: `1min`, `30 secs`, `2h 37min`, `1 hour 5 minutes`.
 */
export const DURATION_PATTERN = new RegExp(
  `^(?=\\d)${[
    part("\\d+", "d(?:ays?)?"),
    part("\\d+", "h(?:rs?|ours?)?"),
    part("\\d+", "m(?:ins?|inutes?)?"),
    part("\\d+(?:\\.\\d{1,3})?", "s(?:ecs?|econds?)?"),
    part("\\d+", "(?:ms|msecs?|milliseconds?)"),
  ].join("")}(?<! )$`,
);

/** A number with its unit, once or not at all. What follows is another number, or nothing. */
function part(number: string, unit: string): string {
  return `(?:(${number}) ?${unit}(?![a-z]) ?)?`;
}

/** Matches `512B`, `64KiB`, `10MiB`, `1GiB`. */
export const SIZE_PATTERN = /^(\d+)(B|KiB|MiB|GiB)$/;

/** A duration in whole seconds, rounded up, and at least so many. */
export function wholeSeconds(ms: number, least = 0): number {
  return Math.max(least, Math.ceil(ms / 1000));
}

/** `"1m30s"` is 90000 (ms); undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (!match) return undefined;
  const factors = Object.values(DURATION_UNITS);
  return factors.reduce((sum, factor, i) => sum + Math.round(Number(match[i + 1] ?? 0) * factor), 0);
}

/** 90000 (ms) is `"1m30s"`, the shortest text that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const [unit, factor] of Object.entries(DURATION_UNITS)) {
    const count = Math.floor(rest / factor);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * factor;
  }
  return text || "0s";
}

/** `"10MiB"` is 10485760 (bytes); undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  const match = SIZE_PATTERN.exec(text);
  return match ? Number(match[1]) * SIZE_UNITS[match[2] as keyof typeof SIZE_UNITS] : undefined;
}

/** 10485760 is `"10MiB"`: the largest unit that divides exactly. */
export function formatSize(bytes: number): string {
  const unit = Object.entries(SIZE_UNITS).find(([, factor]) => bytes >= factor && bytes % factor === 0);
  return unit ? `${bytes / unit[1]}${unit[0]}` : `${bytes}B`;
}

/** A duration as ms, whose form a schema has checked. */
export const milliseconds = (written: string): number => parseDuration(written) ?? 0;
