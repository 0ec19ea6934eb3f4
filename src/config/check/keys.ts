import type { Diagnostic } from "../../model/diagnostic.ts";
import { nearest } from "../../model/nearest.ts";
import { isObject } from "../../model/object.ts";
import { formatPath, type KeyPath, type KeyStyle, toKebab } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { foreignHint } from "../read/foreign-words.ts";
import { listPart, objectPart, type Shape } from "../read/shape.ts";

/** A key that stands where the schema has no such key; `path` is spelled as in the file. */
export interface UnknownKey {
  readonly path: KeyPath;
  readonly message: string;
  /** The path of the schema that it was meant for, where one can be guessed. */
  readonly meant?: KeyPath;
}

/**
 * What is read of `value` with keys in camelCase; unknown keys are left out, and {@link ENOUGH_PROBLEMS} are listed.
 * `extensions`: keys that begin with `x-` belong to nobody, and are left out silently.
 */
export function canonicalKeys(
  value: unknown,
  shape: Shape,
  style: KeyStyle,
  { extensions = false } = {},
): { value: unknown; unknown: UnknownKey[] } {
  const unknown: UnknownKey[] = [];
  const walk = (part: unknown, as: Shape, path: KeyPath): unknown => {
    if (Array.isArray(part)) {
      const list = listPart(as);
      return list ? part.map((item, i) => walk(item, list.item, [...path, i])) : part;
    }
    if (!isObject(part)) return part;
    if (as.kind === "map") {
      return fromEntries(Object.entries(part).map(([key, of]) => [key, walk(of, as.value, [...path, key])]));
    }
    const object = objectPart(as);
    if (!object) return part;
    const known = knownKeys(object.keys.keys(), style);
    return fromEntries(
      Object.entries(part).flatMap(([written, of]) => {
        const key = known.get(written);
        if (key !== undefined)
          return [[key, walk(of, object.keys.get(key) as Shape, [...path, written])] as const];
        if (extensions && written.startsWith("x-")) return [];
        if (unknown.length < ENOUGH_PROBLEMS)
          unknown.push({ path: [...path, written], ...unknownKey(written, path, known, style) });
        return [];
      }),
    );
  };
  return { value: walk(value, shape, []), unknown };
}

/** Spelling in a file of this style → key in the schema. */
function knownKeys(keys: Iterable<string>, style: KeyStyle): ReadonlyMap<string, string> {
  return new Map([...keys].map((key) => [style === "kebab" ? toKebab(key) : key, key]));
}

const ON_IN_DEFAULTS =
  "move it out of defaults and give it a defaults block of its own, or use on in the server";

/** The message about an unknown key. `known`: allowed keys, as spelled in the file → key in the schema. */
export function unknownKey(
  written: string,
  within: KeyPath,
  known: ReadonlyMap<string, string>,
  style: KeyStyle,
): Omit<UnknownKey, "path"> {
  const words = [...known.keys()];
  const hint = foreignHint(written, known, style);
  const guess = hint === undefined ? nearest(written, words) : undefined;
  const field = formatPath([...within, written], "camel");
  const wayOut =
    hint?.message ??
    (written === "on" && within.length === 1 && within[0] === "defaults" ? ON_IN_DEFAULTS : undefined) ??
    (guess === undefined && within[0] === "on" && known.has("defaults")
      ? `put server settings into its defaults block, or write one of ${words.toSorted().join(", ")}`
      : guess === undefined
        ? `write one of ${words.toSorted().join(", ")}`
        : `did you mean "${guess}"?`);
  const meant = hint?.meant ?? (guess === undefined ? undefined : known.get(guess));
  return {
    message: `cannot use unknown key ${JSON.stringify(field)}: ${wayOut}`,
    ...(meant !== undefined && { meant: [...within, meant] }),
  };
}

/** The paths that unknown keys were meant for, as JSON. */
export const meantBy = (unknown: readonly Pick<UnknownKey, "meant">[]): string[] =>
  unknown.flatMap(({ meant }) => (meant === undefined ? [] : [JSON.stringify(meant)]));

// Own properties even for a key such as "__proto__", which an assignment would take for something else.
const fromEntries = (entries: readonly (readonly [string, unknown])[]) => Object.fromEntries(entries);

export function problemAt(
  place: Pick<Diagnostic, "file" | "line" | "column" | "path">,
  message: string,
): Diagnostic {
  return { severity: "error", message: brief(message), ...place };
}

/** Longest message, characters: what it names may be as long as a file. */
const LONGEST_MESSAGE = 2000;

/** A message begins with what failed, and ends with the way out. */
function brief(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  return `${message.slice(0, LONGEST_MESSAGE / 2)}…${message.slice(1 - LONGEST_MESSAGE / 2)}`;
}
