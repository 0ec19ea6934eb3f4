import { lineAfter } from "./format.ts";

/** A table of a TOML file, by its header, as bytes: from its header to the end of the last line with something of it. */
export interface Table {
  readonly keys: readonly string[];
  readonly start: number;
  /** After the line's end. */
  readonly end: number;
}

/**
 * The tables of a text that is valid TOML. Follows strings, comments and brackets just as far as it takes to know which
 * lines are headers (TOML 1.0, "Table").
 */
export function tablesIn(text: string): Table[] {
  const tables: Table[] = [];
  let open: { keys: readonly string[]; start: number; end: number } | undefined;
  for (let at = 0; at < text.length; ) {
    const line = text.slice(at, lineAfter(text, at));
    const isHeader = /^[ \t]*\[/.test(line);
    const end = isHeader ? lineAfter(text, at) : statementEnd(text, at);
    if (isHeader) {
      if (open) tables.push(open);
      open = { keys: headerKeys(line), start: at, end };
    } else if (open && !/^[ \t]*(#|\r?\n|$)/.test(line)) open.end = end;
    at = end;
  }
  if (open) tables.push(open);
  return tables;
}

/** The end of the line in which what begins here ends: a value may have several lines. */
function statementEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const character = text[at];
    if (character === "\n" && depth === 0) return at + 1;
    if (character === "#") at = lineAfter(text, at) - 1;
    else if (character === '"' || character === "'") {
      at = stringEnd(text, at);
      continue;
    }
    if (character === "[" || character === "{") depth++;
    if (character === "]" || character === "}") depth--;
    at += text[at] === "\n" && depth === 0 ? 0 : 1;
  }
  return text.length;
}

/** The end of a string that begins with this quote. */
function stringEnd(text: string, from: number): number {
  const quote = text[from] as string;
  const isLong = text.startsWith(quote.repeat(3), from);
  const mark = isLong ? quote.repeat(3) : quote;
  for (let at = from + mark.length; at < text.length; at++) {
    if (quote === '"' && text[at] === "\\") at++;
    else if (text.startsWith(mark, at)) {
      // Up to two quotes may stand before the three that end it.
      let end = at + mark.length;
      for (let more = 0; isLong && more < 2 && text[end] === quote; more++) end++;
      return end;
    }
  }
  return text.length;
}

/** The keys of a header such as `[a."b.c".d]`, or `[[a.b]]`. */
function headerKeys(line: string): string[] {
  const inner = /^[ \t]*\[\[?/.exec(line)?.[0].length ?? 0;
  const keys: string[] = [];
  for (let at = inner; at < line.length; ) {
    const rest = line.slice(at);
    const found = /^[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*(\.?)/.exec(rest);
    const key = found?.[1];
    if (key === undefined) break;
    keys.push(key.startsWith('"') ? unescaped(key) : key.startsWith("'") ? key.slice(1, -1) : key);
    if (found?.[2] !== ".") break;
    at += found[0].length;
  }
  return keys;
}

/** TOML has two escapes that JSON lacks. */
function unescaped(text: string): string {
  const long = /\\U([0-9a-fA-F]{8})/g;
  const json = text.replace(long, (_, hex: string) =>
    JSON.stringify(String.fromCodePoint(Number.parseInt(hex, 16))).slice(1, -1),
  );
  try {
    return JSON.parse(json.replace(/\\e/g, "\\u001b").replace(/\\x([0-9a-fA-F]{2})/g, "\\u00$1")) as string;
  } catch {
    return text;
  }
}
