import type { Part } from "../part.ts";
import { keyOnce, Unreadable } from "./lines.ts";

/** `name: command line` */
export function parseProcfile(text: string): Part {
  const found = new Map<string, Part>();
  for (const [i, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, name, command] = /^([A-Za-z0-9_-]+):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || command === undefined)
      throw new Unreadable(i + 1, "a line is not NAME: COMMAND");
    keyOnce(found, name, i + 1);
    found.set(name, { value: command.trimEnd(), line: i + 1 });
  }
  return { value: found, line: 1 };
}
