import { isMap, isPair, isScalar, type Node, type Pair, stringify, type YAMLMap, type YAMLSeq } from "yaml";
import { Fault, lineAfter, lineEnd, lineStart, splice } from "./format.ts";
import { spaced } from "./spaced.ts";

export type Collection = YAMLMap.Parsed | YAMLSeq.Parsed;

/** The text of one item of a map or a list. Of a block: whole lines, with their end; comments after them are not in it. */
export interface Part {
  /** A map's key, or what an item of a list says is its `name`. */
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
  /** Where a block's item begins in its line. */
  readonly column: number;
}

const isFlow = (holder: Collection) => holder.flow === true;

export function partsOf(text: string, holder: Collection): Part[] {
  return (holder.items as readonly (Pair | Node)[]).map((item, i) => {
    const begin = beginOf(holder, i);
    const end = contentEnd(item, begin);
    const name = nameOf(item);
    if (isFlow(holder)) return { name, start: begin, end, column: 0 };
    const start = lineStart(text, begin);
    const after = text[end - 1] === "\n" && end > begin ? end : lineAfter(text, end);
    return { name, start, end: after, column: begin - start };
  });
}

function nameOf(item: Pair | Node): string | undefined {
  const name = isPair(item) ? item.key : isMap(item) ? item.get("name", true) : undefined;
  return isScalar(name) ? String(name.value) : undefined;
}

/** Where an item begins, with its dash, anchor or tag. */
function beginOf(holder: Collection, index: number): number {
  const token = holder.srcToken && "items" in holder.srcToken ? holder.srcToken.items[index] : undefined;
  const mark = token?.start.find(({ type }) => MARKS.has(type));
  const begin = mark?.offset ?? token?.key?.offset ?? token?.sep?.[0]?.offset ?? token?.value?.offset;
  if (begin === undefined) throw new Error("an item of YAML has no place in its text");
  return begin;
}

const MARKS = new Set(["anchor", "tag", "explicit-key-ind", "seq-item-ind"]);

function contentEnd(item: Pair | Node, begin: number): number {
  if (isPair(item)) return contentEnd((item.value ?? item.key) as Node, begin);
  if ("items" in item && !item.flow) {
    const last = item.items.at(-1) as Pair | Node | undefined;
    if (last !== undefined) return contentEnd(last, begin);
  }
  return item.range?.[1] ?? begin;
}

/** Adds an item at the end of a collection. */
export function insertInto(text: string, holder: Collection, content: unknown): string {
  const last = partsOf(text, holder).at(-1);
  if (!isFlow(holder)) {
    if (last === undefined) throw new Error("a block of YAML has no items");
    return addLines(text, last.end, content, last.column);
  }
  // After the last item, before a comma that may follow it.
  const at = last?.end ?? (holder.range?.[0] ?? 0) + 1;
  return splice(text, at, at, `${last ? ", " : ""}${inFlow(content)}`);
}

/** Puts a value of several lines below a key that has none. */
export function lineUnder(text: string, { end, column }: Part, content: unknown): string {
  return addLines(text, end, content, column + unitOf(text));
}

/** Adds whole lines at an offset that begins one, or at the end of a text. */
export function addLines(text: string, at: number, content: unknown, column: number): string {
  const added = block(text, content, column);
  const isCut = at > 0 && text[at - 1] !== "\n";
  return splice(text, at, at, isCut ? lineEnd(text) + added : added + lineEnd(text));
}

export function replacePart(text: string, holder: Collection, part: Part, content: unknown): string {
  if (isFlow(holder)) return splice(text, part.start, part.end, inFlow(content));
  const end = text[part.end - 1] === "\n" ? lineEnd(text) : "";
  return splice(text, ownLines(text, part).start, part.end, block(text, content, part.column) + end);
}

/** `colon`: where the collection's key ends. It gets an empty value with its last item: without one, it would be null. */
export function removeParts(
  text: string,
  holder: Collection,
  names: readonly string[],
  colon: number | undefined,
): string {
  const parts = partsOf(text, holder);
  const gone = parts.filter(({ name }) => name !== undefined && names.includes(name));
  if (isFlow(holder)) return outOfFlow(text, parts, gone);
  const rest = gone.toReversed().reduce((at, part) => {
    const { start, end } = ownLines(text, part);
    const hasEnd = end === 0 || text[end - 1] === "\n" || at.length > end;
    return splice(at, hasEnd || start === 0 ? start : start - lineEnd(text).length, end, "");
  }, text);
  if (parts.length > gone.length || colon === undefined) return rest;
  return splice(rest, colon, colon, isMap(holder) ? " {}" : " []");
}

function ownLines(text: string, part: Part): Part {
  const begin = part.start + part.column;
  if (text.slice(part.start, begin).trim() !== "") throw new Fault(begin, IN_ONE_LINE);
  return part;
}

const IN_ONE_LINE = "this begins in a line with something else: give it a line of its own";

/** Each with one of the commas beside it; of those that stay, each keeps what is before it. */
function outOfFlow(text: string, parts: readonly Part[], gone: readonly Part[]): string {
  const first = parts.find((part) => !gone.includes(part));
  return gone.toReversed().reduce((rest, part) => {
    const at = parts.indexOf(part);
    const isLeading = first === undefined || part.start < first.start;
    const next = parts[at + 1];
    const [start, end] = isLeading
      ? [part.start, next?.start ?? part.end]
      : [parts[at - 1]?.end ?? part.start, part.end];
    const between = text.slice(start, part.start) + text.slice(part.end, end);
    if (!/^\s*,?\s*$/.test(between)) throw new Fault(part.start, "comments are around this: move them away");
    return splice(rest, start, end, "");
  }, text);
}

/** JSON is YAML, on one line; without the brackets that are there already. */
const inFlow = (content: unknown) =>
  Array.isArray(content) ? content.map(spaced).join(", ") : spaced(content).slice(2, -2);

function block(text: string, content: unknown, column: number): string {
  const options = {
    indent: unitOf(text),
    lineWidth: 0,
    blockQuote: false,
    aliasDuplicateObjects: false,
  } as const;
  const lines = stringify(content, options).trimEnd().split("\n");
  return lines.map((line) => " ".repeat(column) + line).join(lineEnd(text));
}

/** By how many blanks the first indented line is indented. */
function unitOf(text: string): number {
  const unit = /\n( +)[^\s#-]/.exec(text)?.[1]?.length ?? 2;
  return unit >= 1 && unit <= 8 ? unit : 2;
}
