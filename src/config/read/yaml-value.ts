import type { LineCounter, Pair, Document as YamlDocument } from "yaml";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { isObject } from "../../model/object.ts";
import { show } from "../check/issues.ts";
import { problemAt } from "../check/keys.ts";
import type { Places, Position } from "../place.ts";
import { MAX_BYTES, weightOf } from "./limits.ts";

export type Yaml = typeof import("yaml");
/** A YAML text with a way from a path, as written in the file, to its place. */
export interface Parsed {
  readonly yaml: Yaml;
  readonly document: YamlDocument;
  readonly lines: LineCounter;
}

interface Part {
  readonly value: unknown;
  readonly places: Places;
  /** Aliases in it, each with the aliases in its own value. */
  readonly aliases: number;
}

/** Most aliases inside the values of aliases, in total. Aliases without others inside are bounded by the whole weight. */
const MOST_NESTED = 1000;

/**
 * What a document without errors says, and where: aliases have the value and the places of what they stand for, and `<<`
 * merges as in YAML 1.1 and in compose files. Undefined when that is too much, or goes on without end.
 */
export function yamlValue(
  parsed: Parsed,
  file: string,
): { value: unknown; places: Places; problems: Diagnostic[] } | undefined {
  const walk = new Walk(parsed, file);
  const { contents } = parsed.document;
  const root = walk.placeAt(contents) ?? positionAt(parsed.lines, 0);
  const { value, places } = walk.part(contents, root);
  if (walk.isTooMuch || weightOf(value, MAX_BYTES) > MAX_BYTES) return undefined;
  return { value, places: { ...places, value: root }, problems: walk.problems };
}

/** One way through the text: an anchor is met before its aliases. */
class Walk {
  readonly parsed: Parsed;
  readonly file: string;
  readonly problems: Diagnostic[] = [];
  isTooMuch = false;
  readonly #anchored = new Map<string, Part | undefined>();
  #nested = 0;
  /** Keys that may yet be merged. */
  #room = MAX_BYTES;

  constructor(parsed: Parsed, file: string) {
    this.parsed = parsed;
    this.file = file;
  }

  part(node: unknown, key: Position): Part {
    const { yaml } = this.parsed;
    const own = this.placeAt(node) ?? key;
    if (yaml.isAlias(node)) return this.#alias(node.source, key, own);
    const anchor = yaml.isScalar(node) || yaml.isCollection(node) ? node.anchor : undefined;
    // Until its value is complete it has none: otherwise it could contain itself.
    if (anchor !== undefined) this.#anchored.set(anchor, undefined);
    const part = yaml.isCollection(node)
      ? this.#collection(node, key, own)
      : { value: yaml.isScalar(node) ? (node.value ?? null) : null, places: { key, value: own }, aliases: 0 };
    if (anchor !== undefined) this.#anchored.set(anchor, part);
    return part;
  }

  placeAt(node: unknown): Position | undefined {
    const start = startOf(node);
    return start === undefined ? undefined : positionAt(this.parsed.lines, start);
  }

  #alias(source: string, key: Position, own: Position): Part {
    const part = this.#anchored.get(source);
    if (part === undefined && this.#anchored.has(source)) this.isTooMuch = true;
    const { value = null, places, aliases = 0 } = part ?? {};
    this.#nested += aliases;
    if (this.#nested > MOST_NESTED) this.isTooMuch = true;
    return { value, places: { key, value: own, parts: places?.parts }, aliases: aliases + 1 };
  }

  #collection(node: unknown, key: Position, own: Position): Part {
    const { yaml } = this.parsed;
    const entries = new Map<string, Part>();
    const merged: Part[] = [];
    if (yaml.isMap(node))
      for (const pair of node.items) {
        const at = this.placeAt(pair.key) ?? own;
        const part = this.part(pair.value, at);
        if (isMerge(yaml, pair)) merged.push(...this.#mergeable(pair.value, part));
        // If two have the same name, the first is kept.
        else if (!entries.has(keyText(yaml, pair))) entries.set(keyText(yaml, pair), part);
      }
    if (yaml.isSeq(node))
      for (const [i, item] of node.items.entries())
        entries.set(String(i), this.part(item, this.placeAt(item) ?? own));
    const parts = new Map([...entries].map(([name, { places }]) => [name, places]));
    const values = new Map([...entries].map(([name, { value }]) => [name, value]));
    for (const { value, places } of merged) {
      for (const [name, inner] of Object.entries(value as object)) {
        if (--this.#room < 0) break;
        if (values.has(name)) continue;
        values.set(name, inner);
        const place = places.parts?.get(name);
        if (place !== undefined) parts.set(name, place);
      }
    }
    if (this.#room < 0) this.isTooMuch = true;
    // A block begins with its first key; people look for its own.
    const value = yaml.isCollection(node) && node.flow === true ? own : key;
    const aliases = [...entries.values(), ...merged].reduce((sum, part) => sum + part.aliases, 0);
    return {
      value: yaml.isSeq(node) ? [...values.values()] : Object.fromEntries(values),
      places: { key, value, ...(parts.size > 0 && { parts }) },
      aliases,
    };
  }

  /** The maps that `<<` names, those that count most first. */
  #mergeable(node: unknown, part: Part): Part[] {
    const { value, places, aliases } = part;
    if (isObject(value)) return [part];
    const items: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = items.find((item) => !isObject(item));
    if (wrong !== undefined) {
      const message = `cannot merge ${show(wrong)}: << takes a map, an alias of one (*name), or a list of those`;
      this.problems.push(problemAt({ file: this.file, ...(this.placeAt(node) ?? places.key) }, message));
    }
    return items.flatMap((item, i) =>
      isObject(item)
        ? [{ value: item, places: places.parts?.get(String(i)) ?? places, aliases: aliases / items.length }]
        : [],
    );
  }
}

function isMerge(yaml: Yaml, { key }: Pair): boolean {
  return yaml.isScalar(key) && key.value === "<<" && (key.type === undefined || key.type === "PLAIN");
}

/** As a key of a map: all of them are texts. */
export function keyText(yaml: Yaml, { key }: Pair): string {
  return yaml.isScalar(key) && key.value !== null ? String(key.value) : "";
}

export function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
