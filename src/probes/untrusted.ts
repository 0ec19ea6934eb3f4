import { oneLine } from "../model/text.ts";

/** Text that a server sent, as one harmless line of at most `most` characters. */
export function told(text: string, most = 200): string {
  // Cut before it is cleaned as well: it may be megabytes.
  const line = oneLine(text.slice(0, most * 4)).replace(BIDI, "");
  if (line.length <= most) return line;
  return `${line.slice(0, most - 1).replace(HALF_CHARACTER, "")}…`;
}

/** Characters that turn the direction of what follows, so that a terminal shows another text than the one that is there. */
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const HALF_CHARACTER = /[\ud800-\udbff]$/;
