import { displayWidth, wrap } from "../views/width.ts";
import { inCharset } from "./charset.ts";

/** Before all but the first of the lines that one is broken into. */
const INDENT = "  ";

/** A line for people on stderr. It is broken between words, where a terminal would break it within them. */
export function told(text: string): string {
  const line = inCharset(text, process.env);
  const { isTTY, columns } = process.stderr;
  if (!isTTY || !columns || displayWidth(line) <= columns) return line;
  return wrap(line, columns - INDENT.length).replaceAll("\n", `\n${INDENT}`);
}
