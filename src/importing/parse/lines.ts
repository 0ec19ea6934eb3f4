import type { Part } from "../part.ts";

/** Line of an offset in a text, 1-based; for many offsets of one text. */
export function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** A text that its parser cannot read. `line`: 1-based. */
export class Unreadable extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(why);
    this.line = line;
  }
}

/** Which of two equal keys counts differs from tool to tool, and neither is dropped in silence. */
export function keyOnce(map: ReadonlyMap<string, Part>, key: string, line: number): void {
  const before = map.get(key);
  if (before === undefined) return;
  throw new Unreadable(
    line,
    `it has ${JSON.stringify(key)} twice, in line ${before.line} too; remove one of them`,
  );
}
