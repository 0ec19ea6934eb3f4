import { formatPath, type KeyPath } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { MAX_BYTES, ownWeight } from "./limits.ts";
import { MAX_DEPTH } from "./nesting.ts";

export interface PlainProblem {
  readonly path: KeyPath;
  readonly message: string;
}

/**
 * A copy of what a program made, as data alone; what is not data is left out and listed. Absent is `undefined`, and
 * `absent` has the keys that say so. A part
 * that stands in several places is copied to each, so the whole is bounded like the text of a file.
 */
export function plainData(root: unknown): { value: unknown; problems: PlainProblem[]; absent?: KeyPath[] } {
  const problems: PlainProblem[] = [];
  const absent: KeyPath[] = [];
  const open = new Set<object>();
  let room = MAX_BYTES;
  const refuse = (path: KeyPath, what: string, wayOut: string) => {
    if (problems.length < ENOUGH_PROBLEMS)
      problems.push({
        path,
        message: `cannot use ${what} for ${formatPath(path, "camel") || "the configuration"}: ${wayOut}`,
      });
  };
  const copy = (value: unknown, path: KeyPath): unknown => {
    room -= ownWeight(value);
    if (room < 0) return undefined;
    if (value === undefined || value === null) return value;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    if (typeof value !== "object")
      return refuse(path, `a ${typeof value}`, "write text, a number, a list or a block");
    if (open.has(value)) return refuse(path, "a value that contains itself", "write the part out");
    if (open.size >= MAX_DEPTH) return refuse(path, `more than ${MAX_DEPTH} levels`, "make it flatter");
    open.add(value);
    const result = Array.isArray(value) ? copyList(value, path) : copyObject(value, path);
    open.delete(value);
    return result;
  };
  const copyList = (list: readonly unknown[], path: KeyPath): unknown[] => {
    const copied: unknown[] = [];
    // One with holes may be longer than all memory, and each of its parts takes room.
    if (list.length > room) room = -1;
    for (let i = 0; i < list.length && room >= 0; i++) copied.push(copy(list[i], [...path, i]));
    return copied;
  };
  const copyObject = (value: object, path: KeyPath): unknown => {
    if (value instanceof Promise) return refuse(path, "a promise", "await it");
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return refuse(path, `a ${className(value)}`, "write plain data");
    }
    for (const symbol of Object.getOwnPropertySymbols(value))
      refuse(path, `the key ${String(symbol)}`, "use a text as key");
    const entries = Object.entries(value).map(([key, of]) => {
      room -= key.length;
      if (of === undefined) absent.push([...path, key]);
      return [key, copy(of, [...path, key])] as const;
    });
    return Object.fromEntries(entries.filter(([, of]) => of !== undefined));
  };
  const value = copy(root, []);
  if (room >= 0) return { value, problems, ...(absent.length > 0 && { absent }) };
  return { value: undefined, problems: [...problems, { path: [], message: TOO_LARGE }] };
}

const TOO_LARGE = "cannot use this configuration: it is larger than 1 MiB when written out; make it smaller";

function className(value: object): string {
  const made = (value as { constructor?: unknown }).constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "class instance";
}
