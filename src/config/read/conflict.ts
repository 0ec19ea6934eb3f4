/** What a merge that is not finished leaves in a file. */

/** Line, 1-based, at which the first conflict of a merge begins; undefined: there is none. */
export function conflictLine(text: string): number | undefined {
  const begin = /^<{7}(?: .*)?\r?$/m.exec(text);
  if (begin === null) return undefined;
  const rest = text.slice(begin.index);
  if (!/^={7}\r?$/m.test(rest) || !/^>{7}(?: .*)?\r?$/m.test(rest)) return undefined;
  return text.slice(0, begin.index).split("\n").length;
}

export const CONFLICT =
  "cannot read this file: an unresolved merge conflict begins here; resolve it, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";
