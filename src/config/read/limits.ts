/** Longest text of a file, bytes; also the most that a value may weigh, see {@link weightOf}. */
export const MAX_BYTES = 1024 * 1024;

/** Longest time to read a whole configuration, ms: all its files, without the time for questions. */
export const READING_BOUND = 20_000;

/**
 * About as many characters as a value takes when it is written out, counted up to a little more than `most`. A part
 * that is used in several places counts each time, even if the file writes it only once.
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

/** The weight of a value without its parts. */
export const ownWeight = (value: unknown): number => 1 + (typeof value === "string" ? value.length : 0);
