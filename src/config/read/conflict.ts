/** Markers that an unfinished merge leaves in a file. */

/** 1-based line where the first merge conflict begins; undefined if there is none. */
export function conflictLine(text: string): number | undefined {
  const begin = /^<{7}(?: .*)?\r?$/m.exec(text);
  if (begin === null) return undefined;
  const rest = text.slice(begin.index);
  if (!/^={7}\r?$/m.test(rest) || !/^>{7}(?: .*)?\r?$/m.test(rest)) return undefined;
  return text.slice(0, begin.index).split("\n").length;
}

export const CONFLICT =
  "cannot read this file: an unresolved merge conflict begins here; resolve it, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";
