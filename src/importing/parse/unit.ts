import type { Part } from "../part.ts";
import { Unreadable } from "./lines.ts";

/**
 * Files with `[sections]` of `key=value`: a systemd unit. A key that stands several times is a list; a line that ends
 * with a backslash goes on in the next one. Sections with the same name are one.
 */
export function parseUnit(text: string): Part {
  const sections = new Map<string, Part & { value: Map<string, Part> }>();
  let section: Map<string, Part> | undefined;
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const start = i + 1;
    let line = lines[i] as string;
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    while (line.endsWith("\\") && i + 1 < lines.length) {
      i++;
      // Comments may stand between the parts of a line.
      if (!/^\s*[#;]/.test(lines[i] as string)) line = `${line.slice(0, -1)} ${lines[i]}`;
    }
    const name = /^\s*\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (name !== undefined) {
      const known = sections.get(name);
      section = known?.value ?? new Map();
      if (!known) sections.set(name, { value: section, line: start });
      continue;
    }
    const [, key, value = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(line) ?? [];
    if (key === undefined || section === undefined)
      throw new Unreadable(
        start,
        section ? "a line is neither a section nor key=value" : "it begins without a [section]",
      );
    add(section, key, { value, line: start });
  }
  return { value: sections, line: 1 };
}

function add(section: Map<string, Part>, key: string, part: Part): void {
  const known = section.get(key);
  if (known === undefined) section.set(key, part);
  else if (Array.isArray(known.value)) section.set(key, { ...known, value: [...known.value, part] });
  else section.set(key, { value: [known, part], line: known.line });
}
