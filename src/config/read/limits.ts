/** Longest text of a file, bytes; and most of what a value may come to, as {@link weightOf} counts it. */
export const MAX_BYTES = 1024 * 1024;

/** Longest whole reading of a configuration, ms: of all its files, without questions. */
export const READING_BOUND = 20_000;

/**
 * About the characters that a value takes when it is written out, counted up to a bit more than `most`. A part that
 * stands in several places counts in each, however little the text is that says so.
 */
export function weightOf(root: unknown, most: number): number {
  let weight = 0;
  const rest: unknown[] = [root];
  while (rest.length > 0 && weight <= most) {
    const value = rest.pop();
    weight += ownWeight(value);
    if (typeof value !== "object" || value === null) continue;
    for (const [key, part] of Object.entries(value)) {
      if (!Array.isArray(value)) weight += key.length;
      rest.push(part);
    }
  }
  return weight;
}

/** That of a value without its parts. */
export const ownWeight = (value: unknown): number => 1 + (typeof value === "string" ? value.length : 0);
