import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { isObject } from "../../model/object.ts";
import { isSame } from "../content.ts";
import type { Entry } from "../types.ts";
import { Fault, type Format, lineAfter, lineEnd, lineStart, oneByOne, splice } from "./format.ts";
import { spaced } from "./spaced.ts";

/** JSON, with comments and trailing commas as editors take them. Only the bytes of the entry change, and a comma. */
export const json: Format = {
  open(text) {
    const root = rootOf(text);
    return {
      text,
      content: root && getNodeValue(root),
      change: ({ path }, changes, keep) =>
        oneByOne(text, changes, {
          remove: (at, name) => remove(at, path, name, keep),
          set: (at, entry) => set(at, path, entry),
        }),
    };
  },
};

function set(text: string, path: readonly string[], entry: Entry): string {
  const root = rootOf(text);
  const way = wayTo(root, path);
  const holder = way.at(-1);
  if (root === undefined || holder === undefined) return fresh(text, path, entry);
  if (way.length <= path.length) {
    const [key = "", ...rest] = path.slice(way.length - 1);
    return insert(text, holder, key, nested([...rest, entry.name], entry.value));
  }
  const old = propertyOf(holder, entry.name);
  if (old === undefined) return insert(text, holder, entry.name, entry.value);
  const value = valueIn(old);
  if (value.type === "object" && isObject(entry.value))
    return update(text, [...path, entry.name], entry.value);
  const isOneLine = isOnOneLine(text, holder);
  const by = written(text, entry.value, isOneLine, indentAt(text, old.offset));
  return splice(text, value.offset, endOf(value), by);
}

/** Only the fields that are others: comments between them, and their order, are somebody's. */
function update(text: string, keys: readonly string[], wanted: Readonly<Record<string, unknown>>): string {
  const entryIn = (at: string) => wayTo(rootOf(at), keys).at(-1) as Node;
  const old = getNodeValue(entryIn(text)) as Record<string, unknown>;
  let result = text;
  for (const key of Object.keys(wanted)) {
    const entry = entryIn(result);
    const field = propertyOf(entry, key);
    if (field === undefined) result = insert(result, entry, key, wanted[key]);
    else if (!isSame(old[key], wanted[key])) {
      const value = valueIn(field);
      const by = written(result, wanted[key], isOnOneLine(result, entry), indentAt(result, field.offset));
      result = splice(result, value.offset, endOf(value), by);
    }
  }
  for (const key of Object.keys(old).filter((one) => !Object.hasOwn(wanted, one))) {
    const entry = entryIn(result);
    const field = propertyOf(entry, key);
    if (field !== undefined) result = without(result, entry, field);
  }
  return result;
}

function remove(text: string, path: readonly string[], name: string, keep: number): string {
  const way = wayTo(rootOf(text), path);
  const keys = [...path, name];
  if (way.length < keys.length) return text;
  // Whatever held nothing else, and was made for it, goes too.
  let at = keys.length - 1;
  while (at > keep && isAllOf(text, way[at], keys[at])) at--;
  const holder = way[at];
  const property = holder && propertyOf(holder, keys[at] ?? "");
  if (holder === undefined || property === undefined) return text;
  return without(text, holder, property);
}

/** Whether an object holds one property, and nothing else, not even a comment. */
function isAllOf(text: string, holder: Node | undefined, key = ""): boolean {
  const property = holder && propertyOf(holder, key);
  if (holder === undefined || property === undefined) return false;
  const around =
    text.slice(holder.offset + 1, property.offset) + text.slice(endOf(property), endOf(holder) - 1);
  return around.replace(",", "").trim() === "";
}

function rootOf(text: string): Node | undefined {
  if (/^\s*$/.test(text)) return undefined;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined)
    throw new Fault(error.offset, `this is not JSON: ${WORDS[error.error] ?? other(error)}`);
  if (root === undefined) throw new Fault(0, "this is not JSON: there is no value");
  if (root.type !== "object")
    throw new Fault(root.offset, `this is ${nameOf(root)}, where an object belongs`);
  return root;
}

const other = ({ error }: ParseError) =>
  printParseErrorCode(error)
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .toLowerCase();
/** The commonest, by number. */
const WORDS: Readonly<Record<number, string>> = {
  3: "a property's name in double quotes is expected",
  4: "a value is expected",
  5: "a colon is expected",
  6: "a comma is expected",
  7: "a closing brace is expected",
  8: "a closing bracket is expected",
  9: "more follows its end",
};

/** Objects from the root down to the one with the entries, as far as they are there. */
function wayTo(root: Node | undefined, path: readonly string[]): Node[] {
  if (root === undefined) return [];
  const way = [root];
  let at = root;
  for (const key of path) {
    const property = propertyOf(at, key);
    if (property === undefined) return way;
    at = valueIn(property);
    if (at.type !== "object") throw new Fault(at.offset, `${key} is ${nameOf(at)}, where an object belongs`);
    way.push(at);
  }
  const names = (at.children ?? []).map((property) => ({ property, name: keyOf(property) }));
  const seen = new Set<string>();
  for (const { property, name } of names) {
    if (seen.has(name)) throw new Fault(property.offset, `${name} is there twice: remove one of them`);
    seen.add(name);
  }
  return way;
}

function propertyOf(holder: Node, key: string): Node | undefined {
  const [first, second] = (holder.children ?? []).filter((property) => keyOf(property) === key);
  if (second !== undefined) throw new Fault(second.offset, `${key} is there twice: remove one of them`);
  return first;
}

const keyOf = (property: Node) => String(property.children?.[0]?.value);
function valueIn(property: Node): Node {
  const value = property.children?.[1];
  if (value === undefined) throw new Fault(property.offset, "this property has no value");
  return value;
}
const endOf = ({ offset, length }: Node) => offset + length;
const nameOf = ({ type }: Node) => (type === "array" ? "a list" : type === "null" ? "null" : `a ${type}`);

const nested = (path: readonly string[], value: unknown): unknown =>
  path.reduceRight((inner, key) => ({ [key]: inner }), value);

function fresh(text: string, path: readonly string[], { name, value }: Entry): string {
  return written(text, nested([...path, name], value), false, "") + lineEnd(text);
}

/** At the end of an object: after its last property, and the comments that follow it. */
function insert(text: string, holder: Node, key: string, value: unknown): string {
  const close = endOf(holder) - 1;
  const inner = text.slice(holder.offset + 1, close);
  const at = holder.offset + 1 + inner.trimEnd().length;
  const last = holder.children?.at(-1);
  const hasComma = last !== undefined && commaAfter(text, endOf(last), close) !== undefined;
  const added = isOnOneLine(text, holder)
    ? splice(text, at, at, (last ? blank(text) : "") + member(text, key, value) + (hasComma ? "," : ""))
    : insertLines(text, holder, at, { key, value, hasComma });
  return last === undefined || hasComma ? added : splice(added, endOf(last), endOf(last), ",");
}

interface Member {
  readonly key: string;
  readonly value: unknown;
  readonly hasComma: boolean;
}

function insertLines(text: string, holder: Node, at: number, { key, value, hasComma }: Member): string {
  const [last, close, end] = [holder.children?.at(-1), endOf(holder) - 1, lineEnd(text)];
  const outer = indentAt(text, holder.offset);
  const indent = last ? indentAt(text, last.offset) : outer + unitOf(text);
  const lines = `${end}${indent}${member(text, key, value, indent)}${hasComma ? "," : ""}`;
  // A brace that would end on the line of the new property gets one of its own.
  const hasLine = text.slice(at, close).includes("\n");
  return splice(text, at, hasLine ? at : close, hasLine ? lines : lines + end + outer);
}

const member = (text: string, key: string, value: unknown, indent?: string) =>
  `${JSON.stringify(key)}:${indent === undefined ? blank(text) : " "}${written(text, value, indent === undefined, indent ?? "")}`;
/** What a file on one line has after its commas and colons. */
const blank = (text: string) => (/":\s/.test(text) ? " " : "");

/** Without a property, a comma, and the blanks before it. Comments stay: they are somebody's. */
function without(text: string, holder: Node, property: Node): string {
  const properties = holder.children ?? [];
  const at = properties.indexOf(property);
  const [before, after] = [properties[at - 1], properties[at + 1]];
  const [open, close] = [holder.offset + 1, endOf(holder) - 1];
  const comma = commaAfter(text, endOf(property), after?.offset ?? close);
  const end = comma === undefined ? endOf(property) : comma + 1;
  const from = blanksBefore(text, before === undefined ? open : endOf(before), property, end);
  let result = text;
  if (comma !== undefined) result = splice(result, comma, comma + 1, "");
  result = splice(result, from, endOf(property), "");
  const other = comma === undefined && before ? commaAfter(text, endOf(before), property.offset) : undefined;
  if (other !== undefined) result = splice(result, other, other + 1, "");
  const last = close - (text.length - result.length);
  const isEmpty = before === undefined && after === undefined && result.slice(open, last).trim() === "";
  return isEmpty ? splice(result, open, last, "") : result;
}

/**
 * Where the blanks before a property begin. They stay if a comment before them, which is after `last`, would take in what
 * follows the property.
 */
function blanksBefore(text: string, last: number, { offset }: Node, end: number): number {
  const start = text.slice(0, offset).trimEnd().length;
  const isFollowed = text.slice(end, lineAfter(text, end)).trim() !== "";
  const line = text.slice(Math.max(last, lineStart(text, start)), start);
  return isFollowed && line.includes("//") ? offset : start;
}

/** Where a comma is in a stretch that has nothing but blanks, comments and perhaps that. */
function commaAfter(text: string, from: number, to: number): number | undefined {
  for (let i = from; i < to; i++) {
    if (text[i] === ",") return i;
    if (text.startsWith("//", i)) i = text.indexOf("\n", i) < 0 ? to : text.indexOf("\n", i);
    else if (text.startsWith("/*", i)) i = text.indexOf("*/", i + 2) + 1;
  }
  return undefined;
}

/** Such an object gets what is new on the same line. An empty one is opened, unless all of the file is one line. */
function isOnOneLine(text: string, holder: Node): boolean {
  if (text.slice(holder.offset, endOf(holder)).includes("\n")) return false;
  if (holder.children?.length) return true;
  return holder.parent !== undefined && !text.trimEnd().includes("\n");
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? "";
}

/** By what the first indented line is indented. */
const unitOf = (text: string) => /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";

/** A value as text: on one line, or indented like the file, on lines after the first. */
function written(text: string, value: unknown, isOneLine: boolean, indent: string): string {
  if (isOneLine) return blank(text) === "" ? JSON.stringify(value) : spaced(value);
  const lines = JSON.stringify(value, null, unitOf(text)).split("\n");
  return lines.join(lineEnd(text) + indent);
}
