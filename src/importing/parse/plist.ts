import type { Part } from "../part.ts";
import { keyOnce, lineFinder, Unreadable } from "./lines.ts";

/**
 * A property list in XML, with the lines of its keys. Only what such a file may have is read: no entity but the five of
 * XML and numbers, so nothing can be expanded into more than it is.
 */
export function parsePlist(text: string): Part {
  const line = lineFinder(text);
  const token = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*>|<(\/?)([A-Za-z]+)(?:\s[^<>]*?)?(\/?)>/g;
  interface Open {
    readonly tag: string;
    readonly line: number;
    readonly parts: Part[];
    readonly map: Map<string, Part>;
    key?: { name: string; line: number } | undefined;
    readonly from: number;
  }
  const stack: Open[] = [];
  let root: Part | undefined;
  const fail = (at: number, why: string): never => {
    throw new Unreadable(line(at), `it is no property list: ${why}`);
  };
  const close = (open: Open, at: number): void => {
    const above = stack.at(-1);
    if (open.tag === "plist") return;
    const raw = text.slice(open.from, at);
    if (open.tag === "key") {
      if (above?.tag !== "dict" || above.key) fail(at, "a key stands where none may");
      else above.key = { name: unescaped(raw), line: open.line };
      return;
    }
    const part: Part = { value: valueIn(open, raw), line: above?.key?.line ?? open.line };
    if (above?.tag === "dict") {
      const key = above.key ?? fail(at, "a value has no key");
      keyOnce(above.map, key.name, key.line);
      above.map.set(key.name, part);
      above.key = undefined;
    } else if (above?.tag === "array") above.parts.push(part);
    else root = part;
  };
  for (const found of text.matchAll(token)) {
    const [whole, closing, tag, empty] = found;
    if (tag === undefined) continue;
    if (closing) {
      const open = stack.pop();
      if (open?.tag !== tag) return fail(found.index, `</${tag}> closes nothing`);
      close(open, found.index);
      continue;
    }
    if (stack.length > 64) return fail(found.index, "it is too deep");
    if (!TAGS.has(tag)) return fail(found.index, `<${tag}> is not known`);
    const open: Open = {
      tag,
      line: line(found.index),
      parts: [],
      map: new Map(),
      from: found.index + whole.length,
    };
    if (empty) close(open, open.from);
    else stack.push(open);
  }
  if (stack.length > 0) return fail(text.length, `<${stack.at(-1)?.tag}> is not closed`);
  return root ?? fail(0, "it has no value");
}

const TAGS = new Set([
  "plist",
  "dict",
  "array",
  "key",
  "string",
  "integer",
  "real",
  "true",
  "false",
  "date",
  "data",
]);
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function valueIn(
  { tag, parts, map }: { tag: string; parts: Part[]; map: Map<string, Part> },
  raw: string,
): Part["value"] {
  switch (tag) {
    case "dict":
      return map;
    case "array":
      return parts;
    case "true":
    case "false":
      return tag === "true";
    case "integer":
    case "real": {
      const value = raw.trim().replace(/^\+/, "");
      return value === "" || Number.isNaN(Number(value)) ? value : Number(value);
    }
    default:
      return unescaped(raw);
  }
}

function unescaped(raw: string): string {
  // A carriage return that is written as itself is a line break in XML.
  return raw
    .replace(/\r\n?/g, "\n")
    .replace(
      /<!\[CDATA\[([\s\S]*?)\]\]>|&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
      (all, cdata, decimal, hex, name) => {
        if (cdata !== undefined) return cdata;
        const code =
          decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
        if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : all;
        return ENTITIES[name] ?? all;
      },
    );
}
