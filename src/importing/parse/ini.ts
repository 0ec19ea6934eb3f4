import type { Part } from "../part.ts";
import { keyOnce, Unreadable } from "./lines.ts";

/**
 * A supervisord configuration, as Python's ConfigParser reads it there: `key = value` or `key: value`, indented lines go
 * on, and a `;` behind a space begins a comment.
 */
export function parseIni(text: string): Part {
  const sections = new Map<string, Part & { value: Map<string, Part> }>();
  let section: Map<string, Part> | undefined;
  let last: { key: string; line: number; parts: string[] } | undefined;
  const end = () => {
    if (last && section) keyOnce(section, last.key, last.line);
    if (last && section) section.set(last.key, { value: last.parts.join("\n").trimEnd(), line: last.line });
    last = undefined;
  };
  for (const [i, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n|\r/)
    .entries()) {
    const isIndented = /^\s/.test(raw);
    if (/^\s*(?:[;#]|$)/.test(raw)) continue;
    const line = raw.replace(/\s;.*$/, "").trim();
    if (isIndented && last) {
      last.parts.push(line);
      continue;
    }
    end();
    const name = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (name !== undefined) {
      section = sections.get(name)?.value ?? new Map();
      if (!sections.has(name)) sections.set(name, { value: section as Map<string, Part>, line: i + 1 });
      continue;
    }
    const [, key, value = ""] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (key === undefined || section === undefined)
      throw new Unreadable(
        i + 1,
        section ? "a line is neither a [section] nor key=value" : "it begins without a [section]",
      );
    last = { key: key.toLowerCase(), line: i + 1, parts: [value] };
  }
  end();
  return { value: sections, line: 1 };
}
