export interface DotenvProblem {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };
const BLANK = /^[ \t]*(?:#|$)/;
const NAME = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;

/**
 * Reads dotenv syntax: `NAME=value`, `export NAME=value`, comments, values bare, in single quotes (as they are), in
 * double quotes (with escapes), in backquotes (as they are); quoted ones may go over several lines. Nothing is expanded.
 * A line ends with LF, CRLF or CR, and with nothing else. Each step takes at least one line, whatever is in it.
 * node:util's parseEnv takes a line it cannot read as part of the next name, so it is not used.
 */
export function parseDotenv(text: string): { values: Map<string, string>; problems: DotenvProblem[] } {
  const values = new Map<string, string>();
  const problems: DotenvProblem[] = [];
  const all = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  for (let start = 0, line = 1; start < all.length; line++) {
    let end = endOfLine(all, start);
    const first = all.slice(start, end);
    if (!BLANK.test(first)) {
      const entry = readEntry(all, start, first);
      if ("message" in entry) problems.push({ line, message: entry.message });
      else {
        values.set(entry.name, entry.value);
        end = entry.end;
        line += all.slice(start, end).split("\n").length - 1;
      }
    }
    start = end + 1;
  }
  return { values, problems };
}

/** Where the line break is that ends what stands at `from`. */
function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** `end`: as of {@link endOfLine}. */
type Entry =
  | { readonly name: string; readonly value: string; readonly end: number }
  | { readonly message: string };

/** The entry that begins at `start`, with the line `first`. */
function readEntry(text: string, start: number, first: string): Entry {
  const [head, name] = NAME.exec(first) ?? [];
  if (head === undefined || name === undefined) return { message: "cannot read this line: write NAME=value" };
  const bare = first.slice(head.length);
  const quote = bare.charAt(0);
  if (!['"', "'", "`"].includes(quote)) {
    return { name, value: withoutComment(bare).trim(), end: start + first.length };
  }
  const inner = start + head.length + 1;
  const closing = quote === '"' ? closingQuote(text, inner) : text.indexOf(quote, inner);
  const end = endOfLine(text, closing);
  if (closing === -1 || !BLANK.test(text.slice(closing + 1, end))) {
    return { message: `cannot find the end of ${name}'s value: add its closing quote` };
  }
  const written = text.slice(inner, closing);
  const value =
    quote === '"' ? written.replace(/\\([\s\S])/g, (pair, char: string) => ESCAPES[char] ?? pair) : written;
  return { name, value, end };
}

/** A `#` at the beginning, or behind a space, begins one. */
function withoutComment(text: string): string {
  const at = text.startsWith("#") ? 0 : text.search(/[ \t]#/);
  return at === -1 ? text : text.slice(0, at);
}

/** Where the next double quote is that no backslash stands before; -1 without one. */
function closingQuote(text: string, from: number): number {
  const next = /["\\]/g;
  next.lastIndex = from;
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    if (found[0] === '"') return found.index;
    next.lastIndex++;
  }
  return -1;
}
