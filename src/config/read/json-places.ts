import type { Places, Position } from "../place.ts";

interface Twice {
  readonly key: string;
  readonly at: Position;
  readonly first: Position;
}

/** A list or an object that is not over. */
interface Open {
  readonly parts: Map<string, Places>;
  /** For a list: how many items it has so far. */
  items: number | undefined;
  /** Name of the part that comes next. */
  name: string | undefined;
  key: Position;
}

/** A mark, the begin of a text, or whatever else is written without white space: a number or a word. */
const TOKEN = /[{}[\],:"]|[^\s{}[\],:"]+/g;

/** Where each part of a JSON text stands, and which keys stand twice in one object. `text` must be sound JSON. */
export function jsonPlaces(text: string): { places: Places; twice: Twice[] } {
  const twice: Twice[] = [];
  const open: Open[] = [];
  let places: Places | undefined;
  const positions = positionsIn(text);
  /** A value begins here. If two have the same name, the first is kept. */
  const begins = (at: Position, parts?: Map<string, Places>) => {
    const within = open.at(-1);
    const name = within?.items === undefined ? within?.name : String(within.items++);
    const part = {
      key: within?.items === undefined && within ? within.key : at,
      value: at,
      ...(parts ? { parts } : {}),
    };
    if (within === undefined) places = part;
    else if (name !== undefined && !within.parts.has(name)) within.parts.set(name, part);
    if (within) within.name = undefined;
  };
  const tokens = new RegExp(TOKEN);
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const { 0: token, index } = found;
    const within = open.at(-1);
    if (token === '"') tokens.lastIndex = endOfText(text, index);
    if (token === "," || token === ":") continue;
    if (token === "}" || token === "]") {
      open.pop();
      continue;
    }
    const at = positions(index);
    if (token === "{" || token === "[") {
      const parts = new Map<string, Places>();
      begins(at, parts);
      open.push({ parts, items: token === "[" ? 0 : undefined, name: undefined, key: at });
    } else if (within && within.items === undefined && within.name === undefined) {
      const key = JSON.parse(text.slice(index, tokens.lastIndex)) as string;
      const first = within.parts.get(key)?.key;
      if (first) twice.push({ key, at, first });
      [within.name, within.key] = [key, at];
    } else begins(at);
  }
  return { places: places ?? { key: { line: 1, column: 1 }, value: { line: 1, column: 1 } }, twice };
}

/** Behind the quote that ends the text which begins there. */
function endOfText(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
}

/** Positions of offsets that are asked for in ascending order. */
function positionsIn(text: string): (offset: number) => Position {
  let line = 1;
  let start = 0;
  let end = text.indexOf("\n");
  return (offset) => {
    for (; end !== -1 && end < offset; end = text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    return { line, column: offset - start + 1 };
  };
}
