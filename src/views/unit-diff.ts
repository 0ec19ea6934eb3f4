import { stripVTControlCharacters } from "node:util";
import { structuredPatch } from "diff";
import type { UnitChange } from "../model/plan.ts";
import type { Line } from "./field-diff.ts";

/** Lines around each change that are shown with it. */
const CONTEXT = 1;

/** The change of a unit's file as a unified diff, below its path; a new file is only named. */
export function unitLines({ file, from, to }: UnitChange, shorten: (path: string) => string): Line[] {
  const path = shorten(file);
  if (from === undefined) return [{ depth: 0, sign: "+", text: `unit: ${path}` }];
  const { hunks } = structuredPatch(file, file, from, to, "", "", { context: CONTEXT });
  const lines = hunks.flatMap((hunk) => [
    { depth: 1, sign: "", text: `@@ -${hunk.oldStart} +${hunk.newStart} @@` } as const,
    ...hunk.lines.map(lineOf),
  ]);
  return [{ depth: 0, sign: "~", text: `unit: ${path}` }, ...lines];
}

/** A unit may hold what a terminal would obey. */
const harmless = (text: string) => stripVTControlCharacters(text).replace(/\p{Cc}/gu, "\u00b7");

function lineOf(line: string): Line {
  const sign = line.startsWith("+") ? "+" : line.startsWith("-") ? "-" : "";
  return { depth: 1, sign, text: harmless(line.startsWith("\\") ? line : line.slice(1)) };
}
