import { difference } from "./difference.ts";
import type { Line } from "./line-diff.ts";

/**
 * The lines below a heading, with each pair of old and new ones cut around what differs where one line does not hold them.
 * `room`: columns for the text of a line at a depth; undefined: any number, so nothing is cut.
 */
export function aroundDifferences(
  lines: readonly Line[],
  room: (depth: number) => number | undefined,
): readonly Line[] {
  const shown = [...lines];
  for (let i = 0; i < lines.length; i++) {
    const olds = run(lines, i, "-");
    const news = run(lines, i + olds, "+");
    for (let j = 0; j < Math.min(olds, news); j++) {
      const [old, now] = [lines[i + j], lines[i + olds + j]];
      if (old === undefined || now === undefined || old.depth !== now.depth) continue;
      if (old.text === now.text) continue;
      const pair = difference(old.text, now.text, room(old.depth));
      shown[i + j] = { ...old, text: pair.from };
      shown[i + olds + j] = { ...now, text: pair.to };
    }
    i += Math.max(0, olds + news - 1);
  }
  return shown;
}

/** How many lines from here on have this sign. */
function run(lines: readonly Line[], start: number, sign: Line["sign"]): number {
  let end = start;
  while (lines[end]?.sign === sign) end++;
  return end - start;
}
