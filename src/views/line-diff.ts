import { structuredPatch } from "diff";
import { visible } from "../model/visible.ts";

export type Sign = "+" | "~" | "-" | "-/+" | "";

/** A line below a server's heading. `depth` counts from there. */
export interface Line {
  readonly depth: number;
  readonly sign: Sign;
  readonly text: string;
}

/** Lines around each change that are shown with it. */
const CONTEXT = 1;

/** What differs between two texts of several lines, as the hunks of a unified diff, one level deep. */
export function lineDiff(from: string, to: string): Line[] {
  const { hunks } = structuredPatch("", "", from, to, "", "", { context: CONTEXT });
  return hunks.flatMap((hunk) => [
    { depth: 1, sign: "", text: `@@ -${hunk.oldStart} +${hunk.newStart} @@` } as const,
    ...hunk.lines.map(lineOf),
  ]);
}

function lineOf(line: string): Line {
  const sign = line.startsWith("+") ? "+" : line.startsWith("-") ? "-" : "";
  return { depth: 1, sign, text: visible(line.startsWith("\\") ? line : line.slice(1)) };
}
