import type { UnitChange } from "../model/plan.ts";
import { type Line, lineDiff } from "./line-diff.ts";

/** The change of a unit's file as a unified diff, below its path; a new file is only named. */
export function unitLines({ file, from, to }: UnitChange, shorten: (path: string) => string): Line[] {
  const path = shorten(file);
  if (from === undefined) return [{ depth: 0, sign: "+", text: `unit: ${path}` }];
  if (from === to) return [];
  return [{ depth: 0, sign: "~", text: `unit: ${path}` }, ...lineDiff(from, to)];
}
