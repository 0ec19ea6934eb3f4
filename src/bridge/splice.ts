/**
 * Replaces single values in the text of a message. All the rest stays as it was written: what goes through numbers of
 * JavaScript and back is not always the same.
 */

/** A value's place, by the keys that lead to it. */
export type Path = readonly string[];

/** Sets values that are there, in text that JSON can read. A key that stands twice counts as JSON.parse has it: the last. */
export function spliced(text: string, values: readonly (readonly [Path, unknown])[]): string {
  const found = values.flatMap(([path, value]) => {
    const span = spanOf(text, path);
    return span === undefined ? [] : [{ ...span, value }];
  });
  found.sort((a, b) => b.from - a.from);
  return found.reduce(
    (all, { from, to, value }) => all.slice(0, from) + JSON.stringify(value) + all.slice(to),
    text,
  );
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function spanOf(text: string, path: Path): Span | undefined {
  let span: Span | undefined = { from: skipSpace(text, 0), to: text.length };
  for (const key of path) {
    span = memberOf(text, span.from, key);
    if (span === undefined) return undefined;
  }
  return span;
}

/** The value of a key of the object that begins there; undefined: there is no object, or no such key. */
function memberOf(text: string, object: number, key: string): Span | undefined {
  let found: Span | undefined;
  for (const { name, from, to } of membersOf(text, object)) if (name === key) found = { from, to };
  return found;
}

/** The members of the object that begins there: the name, where it begins, and where its value is. */
export function* membersOf(
  text: string,
  object: number,
): Generator<Span & { readonly name: string; readonly at: number }> {
  if (text[object] !== "{") return;
  let at = skipSpace(text, object + 1);
  while (text[at] === '"') {
    const end = endOfString(text, at);
    const from = skipSpace(text, skipSpace(text, end) + 1);
    const to = endOfValue(text, from);
    yield { name: JSON.parse(text.slice(at, end)), at, from, to };
    at = skipSpace(text, to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at];
    if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") break;
  }
  return at;
}

/** Behind the closing quote. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first !== "{" && first !== "[") {
    const rest = /[,\]}\s]/g;
    rest.lastIndex = from;
    return rest.exec(text)?.index ?? text.length;
  }
  let depth = 0;
  const marks = /["{}[\]]/g;
  marks.lastIndex = from;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '"') marks.lastIndex = endOfString(text, mark.index);
    else if (mark[0] === "{" || mark[0] === "[") depth++;
    else if (--depth === 0) return mark.index + 1;
  }
  return text.length;
}

/** As one line: JSON has line breaks only between its tokens. */
export function onOneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, " ") : text;
}
