import { type Document, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from "yaml";
import type { Entry, Shape } from "../types.ts";
import { Fault, type Format } from "./format.ts";
import {
  addLines,
  type Collection,
  insertInto,
  lineUnder,
  type Part,
  partsOf,
  removeParts,
  replacePart,
} from "./yaml-parts.ts";

/** YAML: the parser says where things are, and only the lines of the entry change; in a list on one line, only what is between commas. */
export const yaml: Format = {
  open(text) {
    const document = documentOf(text);
    return {
      text,
      content: valuesOf(document),
      change(shape, changes, keep) {
        const removed =
          changes.remove.length === 0
            ? text
            : remove(text, wayTo(document, shape.path), shape, changes.remove, keep);
        if (changes.set.length === 0) return removed;
        const at = removed === text ? document : documentOf(removed);
        return set(removed, wayTo(at, shape.path), shape, changes.set);
      },
    };
  },
};

function set(text: string, { holders, empty }: Way, shape: Shape, entries: readonly Entry[]): string {
  const holder = holders.at(-1);
  const missing = shape.path.slice(Math.max(0, holders.length - (empty ? 0 : 1)));
  if (holder === undefined) return addLines(text, text.length, contentOf(shape, missing, entries), 0);
  if (empty !== undefined)
    return lineUnder(text, partFor(text, holder, empty), contentOf(shape, missing, entries));
  const parts = missing.length > 0 ? [] : partsOf(text, holder);
  const old = (entry: Entry) => parts.find(({ name }) => name === entry.name);
  const added = entries.filter((entry) => old(entry) === undefined);
  const inserted = added.length === 0 ? text : insertInto(text, holder, contentOf(shape, missing, added));
  // From the end, so that what is before stays where it is.
  const replaced = entries.flatMap((entry) => ({ entry, part: old(entry) }));
  replaced.sort((a, b) => (b.part?.start ?? 0) - (a.part?.start ?? 0));
  return replaced.reduce(
    (at, { entry, part }) => (part ? replacePart(at, holder, part, contentOf(shape, [], [entry])) : at),
    inserted,
  );
}

function remove(
  text: string,
  { holders }: Way,
  shape: Shape,
  names: readonly string[],
  keep: number,
): string {
  if (holders.length <= shape.path.length) return text;
  let at = shape.path.length;
  let gone: readonly string[] = names;
  while (at > keep && isAllOf(text, holders[at], gone)) {
    at--;
    gone = [shape.path[at] ?? ""];
  }
  const holder = holders[at];
  const above = holders[at - 1];
  return holder === undefined
    ? text
    : removeParts(text, holder, gone, above && keyEnd(above, shape.path[at - 1] ?? ""));
}

/** What an alias may stand for in all: texts that grow without end are refused. */
const MOST_ALIASES = 100;

function documentOf(text: string): Document.Parsed {
  const document = parseDocument(text, {
    keepSourceTokens: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [error] = document.errors;
  if (error !== undefined)
    throw new Fault(error.pos[0], `this is not YAML as it is read here: ${error.message}`);
  const root = document.contents as Node | null;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null))
    throw new Fault(root.range?.[0] ?? 0, "a map belongs here");
  return document;
}

function valuesOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    // The parser's word for aliases that stand for too much.
    if (!(error instanceof ReferenceError)) throw error;
    throw new Fault(0, "its aliases stand for too much");
  }
}

interface Way {
  /** From the root to what has the entries, as far as they are there. */
  readonly holders: readonly Collection[];
  /** A key without a value, after the last of them. */
  readonly empty?: Pair;
}

function wayTo(document: Document.Parsed, path: readonly string[]): Way {
  const root = document.contents as Node | null;
  if (!isMap(root)) return { holders: [] };
  const holders: Collection[] = [root as Collection];
  for (const key of path) {
    const holder = holders.at(-1);
    const pair = isMap(holder) ? pairOf(holder as Collection, key) : undefined;
    if (pair === undefined) return { holders };
    const value = pair.value as Node | null;
    if (isScalar(value) && value.value === null && !value.source) return { holders, empty: pair };
    const isLast = holders.length === path.length;
    if (!isMap(value) && !(isLast && isSeq(value)))
      throw new Fault(value?.range?.[0] ?? 0, `${key} is not ${isLast ? "a list or a map" : "a map"}`);
    holders.push(value as Collection);
  }
  return { holders };
}

const pairOf = (holder: Collection, key: string) =>
  (holder.items as readonly Pair[]).find(({ key: found }) => isScalar(found) && found.value === key);

/** What is added to the last holder. */
function contentOf({ holds }: Shape, missing: readonly string[], entries: readonly Entry[]): unknown {
  const map = () => Object.fromEntries(entries.map(({ name, value }) => [name, value]));
  const inner = holds === "list" ? entries.map(({ value }) => value) : map();
  return missing.reduceRight<unknown>((content, key) => ({ [key]: content }), inner);
}

function partFor(text: string, holder: Collection, pair: Pair): Part {
  const part = partsOf(text, holder)[(holder.items as readonly unknown[]).indexOf(pair)];
  if (part === undefined) throw new Error("a pair of a map has no part of its text");
  return part;
}

/** Offset after the colon of a key. */
function keyEnd(holder: Collection, key: string): number | undefined {
  const index = (holder.items as readonly Pair[]).indexOf(pairOf(holder, key) as Pair);
  const token = holder.srcToken && "items" in holder.srcToken ? holder.srcToken.items[index] : undefined;
  const colon = token?.sep?.find(({ type }) => type === "map-value-ind");
  return colon && colon.offset + 1;
}

/** Whether a collection has no other items, and no comment of somebody's. */
function isAllOf(text: string, holder: Collection | undefined, names: readonly string[]): boolean {
  const parts = holder ? partsOf(text, holder) : [];
  const [start = 0, end = 0] = holder?.range ?? [];
  const hasComment = /#/.test(text.slice(start, end).replace(/"[^"\n]*"/g, ""));
  return (
    parts.length > 0 && !hasComment && parts.every(({ name }) => name !== undefined && names.includes(name))
  );
}
