import { isObject } from "../model/object.ts";
import type { Entry, EntryChanges, Shape } from "./types.ts";

/** What a client's file says, as plain values. */

/** How many of the keys that lead to the entries are there. */
export function keysThere(content: unknown, path: readonly string[]): number {
  let at = content;
  for (const [i, key] of path.entries()) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return i;
    at = at[key];
  }
  return path.length;
}

const holderIn = (content: unknown, path: readonly string[]) =>
  path.reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), content);

export function entriesIn(content: unknown, { path, holds }: Shape): Entry[] {
  const holder = holderIn(content, path);
  if (holds === "list")
    return (Array.isArray(holder) ? holder : []).flatMap((value) => {
      const name = isObject(value) ? value.name : undefined;
      return typeof name === "string" ? [{ name, value }] : [];
    });
  return isObject(holder)
    ? Object.entries(holder).map(([name, value]) => ({ name, value: value as never }))
    : [];
}

/** Of several shapes the first whose path is there; entries themselves have a `type`, and what holds them has none. */
export function shapeFor(shapes: readonly [Shape, ...Shape[]], content: unknown): Shape {
  const found = shapes.find(({ path }) => {
    const holder = holderIn(content, path);
    return isObject(holder) && typeof holder.type !== "string";
  });
  return found ?? (shapes.at(-1) as Shape);
}

/** The content after a change, made without its text: what the text has to say then. */
export function contentAfter(content: unknown, shape: Shape, { set, remove }: EntryChanges): unknown {
  const gone = new Set(remove);
  return withHolder(content, shape.path, (holder) => {
    if (shape.holds === "list") {
      const list: unknown[] = (Array.isArray(holder) ? holder : []).filter((item) => !gone.has(nameOf(item)));
      for (const { name, value } of set) {
        const at = list.findIndex((item) => nameOf(item) === name);
        if (at < 0) list.push(value);
        else list[at] = value;
      }
      return list;
    }
    const kept = Object.entries(isObject(holder) ? holder : {}).filter(([name]) => !gone.has(name));
    return Object.fromEntries([...kept, ...set.map(({ name, value }) => [name, value])]);
  });
}

const nameOf = (item: unknown) => (isObject(item) && typeof item.name === "string" ? item.name : "");

function withHolder(
  content: unknown,
  [key, ...rest]: readonly string[],
  change: (holder: unknown) => unknown,
): unknown {
  if (key === undefined) return change(content);
  const map = isObject(content) ? content : {};
  return { ...map, [key]: withHolder(Object.hasOwn(map, key) ? map[key] : undefined, rest, change) };
}

/**
 * Whether two contents mean the same. The order of keys counts for nothing, and neither does, on the way to the entries,
 * whether what holds none is there.
 */
export function isSameContent(a: unknown, b: unknown, path: readonly string[] = []): boolean {
  const [key, ...rest] = path;
  if (key !== undefined) {
    const [one, other] = [asMap(a), asMap(b)];
    if (one && other)
      return (
        isSame(without(one, key), without(other, key)) &&
        isSameContent(
          Object.hasOwn(one, key) ? one[key] : undefined,
          Object.hasOwn(other, key) ? other[key] : undefined,
          rest,
        )
      );
  }
  return isSame(a, b) || (isEmpty(a) && isEmpty(b));
}

const asMap = (value: unknown) =>
  value === undefined || value === null ? {} : isObject(value) ? value : undefined;
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
function without(map: Record<string, unknown>, key: string): Record<string, unknown> {
  const { [key]: _, ...rest } = map;
  return rest;
}

export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return isNumber(a) && isNumber(b) && String(a) === String(b);
  if (a instanceof Date || b instanceof Date) return String(a) === String(b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  );
}

/** Formats read whole numbers as one or the other. */
const isNumber = (value: unknown) => typeof value === "number" || typeof value === "bigint";
