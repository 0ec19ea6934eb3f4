import { visible } from "../model/visible.ts";

/** Text that a server sent, as one line of at most `most` characters. */
export function told(text: string, most = 200): string {
  // Cut first: it may be megabytes.
  const line = visible(text.slice(0, most * 4).trim());
  if (line.length <= most) return line;
  return `${line.slice(0, most - 1).replace(HALF_CHARACTER, "")}…`;
}

const HALF_CHARACTER = /[\ud800-\udbff]$/;
