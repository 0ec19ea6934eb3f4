import type { LineCounter, Node, Pair, Document as YamlDocument } from "yaml";
import type { Diagnostic } from "../model/diagnostic.ts";
import { jsonPlaces } from "./json-places.ts";
import { canonicalKeys, isMap, problemAt } from "./keys.ts";
import { MAX_BYTES, weightOf } from "./limits.ts";
import { isDeepValue, isDeepYaml, TOO_DEEP } from "./nesting.ts";
import { locate, type Places, type Position, type Reading } from "./place.ts";
import type { Shape } from "./shape.ts";

type Yaml = typeof import("yaml");
/** A YAML text with a way from a path, as written in the file, to its place. */
interface Parsed {
  readonly yaml: Yaml;
  readonly document: YamlDocument;
  readonly lines: LineCounter;
}

/** Reads YAML 1.2. Keys are kebab-case. */
export async function readYaml(file: string, text: string, shape: Shape): Promise<Reading> {
  const yaml = await import("yaml");
  if (isDeepYaml(new yaml.Lexer().lex(text))) return tooDeep(file);
  const parsed = parse(yaml, text);
  const at = (offset: number) => ({ file, ...positionAt(parsed.lines, offset) });
  const errors = [...parsed.document.errors, ...parsed.document.warnings];
  const problems = errors.map((error) => problemAt(at(error.pos[0]), syntaxMessage("YAML", error.message)));
  for (const { offset, name } of danglingAliases(parsed)) {
    problems.push(
      problemAt(
        at(offset),
        `cannot find the anchor of *${name}: write &${name} before it, or the value itself`,
      ),
    );
  }
  const complex = complexKeys(parsed);
  problems.push(
    ...complex.map((offset) => problemAt(at(offset), "cannot use a list or a map as a key: write a text")),
  );
  problems.push(...duplicateKeys(parsed, file));
  if (errors.length + complex.length > 0) return { problems };
  try {
    const raw: unknown = parsed.document.toJS({ maxAliasCount: 100 });
    if (weightOf(raw, MAX_BYTES) > MAX_BYTES) return { problems: [...problems, tooManyAliases(at(0))] };
    return withProblems(problems, reading(file, raw ?? {}, shape, placesOf(parsed), "kebab"));
  } catch {
    return { problems: problems.length > 0 ? problems : [tooManyAliases(at(0))] };
  }
}

const tooManyAliases = (place: Pick<Diagnostic, "file" | "line" | "column">) =>
  problemAt(place, "cannot follow so many aliases: write out what they stand for");

/** Reads strict JSON. Keys are camelCase. */
export async function readJson(file: string, text: string, shape: Shape): Promise<Reading> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    return { problems: [await jsonSyntaxProblem(file, text, error as Error)] };
  }
  if (isDeepValue(raw)) return tooDeep(file);
  const { places, twice } = jsonPlaces(text);
  const problems = twice.map(({ key, at, first }) =>
    problemAt({ file, ...at }, duplicateMessage(key, first)),
  );
  return withProblems(problems, reading(file, withoutSchemaKey(raw), shape, places, "camel"));
}

/** Editors find the schema of a JSON file by this key. */
function withoutSchemaKey(raw: unknown): unknown {
  if (!isMap(raw)) return raw;
  return Object.fromEntries(Object.entries(raw).filter(([key]) => key !== "$schema"));
}

function withProblems(problems: readonly Diagnostic[], reading: Reading): Reading {
  return { ...reading, problems: [...problems, ...reading.problems] };
}

const tooDeep = (file: string): Reading => ({ problems: [problemAt({ file }, TOO_DEEP)] });

function parse(yaml: Yaml, text: string): Parsed {
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  return { yaml, document, lines };
}

function reading(
  file: string,
  raw: unknown,
  shape: Shape,
  places: Places,
  style: "kebab" | "camel",
): Reading {
  const { value, unknown } = canonicalKeys(raw, shape, style);
  const problems = unknown.map(({ path, message }) =>
    problemAt({ file, ...locate(places, path, "key") }, message),
  );
  return { document: { file, style, value, places }, problems };
}

/** An alias has the parts of what it stands for. */
function placesOf({ yaml, document, lines }: Parsed): Places {
  const anchored = new Map<string, Places["parts"]>();
  const placesAt = (node: unknown, key: Position): Places => {
    const own = placeAt(lines, node) ?? key;
    // A block begins with its first key; people look for its own.
    const isBlock = yaml.isCollection(node) && node.flow !== true;
    return { key, value: isBlock ? key : own, parts: partsOf(node, own) };
  };
  const partsOf = (node: unknown, own: Position): Places["parts"] => {
    if (yaml.isAlias(node)) return anchored.get(node.source);
    const parts = new Map<string, Places>();
    if (yaml.isNode(node) && "anchor" in node && node.anchor !== undefined) anchored.set(node.anchor, parts);
    if (yaml.isSeq(node)) {
      for (const [i, item] of node.items.entries())
        parts.set(String(i), placesAt(item, placeAt(lines, item) ?? own));
    } else if (yaml.isMap(node)) {
      for (const pair of node.items) {
        const key = keyText(yaml, pair);
        // Of two with one name it is the first that is told.
        if (key !== undefined && !parts.has(key))
          parts.set(key, placesAt(pair.value, placeAt(lines, pair.key) ?? own));
      }
    }
    return parts.size > 0 ? parts : undefined;
  };
  const root = placeAt(lines, document.contents) ?? positionAt(lines, 0);
  return { ...placesAt(document.contents, root), value: root };
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];

function placeAt(lines: LineCounter, node: unknown): Position | undefined {
  const start = startOf(node);
  return start === undefined ? undefined : positionAt(lines, start);
}

function keyText(yaml: Yaml, pair: Pair): string | undefined {
  return yaml.isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/**
 * All nodes and pairs in the order of the text. The library's own way copies the path to each, and behind errors parts may
 * stand in each other by the thousand.
 */
function* everyPart({ yaml, document }: Parsed): Generator<unknown> {
  const rest: unknown[] = [document.contents];
  while (rest.length > 0) {
    const part = rest.pop();
    yield part;
    if (yaml.isPair(part)) rest.push(part.value, part.key);
    else if (yaml.isCollection(part))
      for (let i = part.items.length - 1; i >= 0; i--) rest.push(part.items[i]);
  }
}

/** Those that stand before their anchor, or have none. Looking each up by itself would walk the document each time. */
function danglingAliases(parsed: Parsed): { offset: number; name: string }[] {
  const { yaml } = parsed;
  const found: { offset: number; name: string }[] = [];
  const anchors = new Set<string>();
  for (const part of everyPart(parsed)) {
    if (yaml.isAlias(part)) {
      if (!anchors.has(part.source)) found.push({ offset: startOf(part) ?? 0, name: part.source });
    } else if ((yaml.isScalar(part) || yaml.isCollection(part)) && part.anchor !== undefined) {
      anchors.add(part.anchor);
    }
  }
  return found;
}

function complexKeys(parsed: Parsed): number[] {
  const { yaml } = parsed;
  const found: number[] = [];
  for (const part of everyPart(parsed)) {
    if (yaml.isPair(part) && (yaml.isCollection(part.key) || yaml.isAlias(part.key)))
      found.push(startOf(part.key) ?? 0);
  }
  return found;
}

function duplicateKeys(parsed: Parsed, file: string): Diagnostic[] {
  const { yaml, lines } = parsed;
  const problems: Diagnostic[] = [];
  for (const map of everyPart(parsed)) {
    if (!yaml.isMap(map)) continue;
    const seen = new Map<string, Position>();
    for (const pair of map.items) {
      const key = keyText(yaml, pair);
      const position = positionAt(lines, startOf(pair.key) ?? 0);
      const first = key === undefined ? undefined : seen.get(key);
      if (first) problems.push(problemAt({ file, ...position }, duplicateMessage(key ?? "", first)));
      else if (key !== undefined) seen.set(key, position);
    }
  }
  return problems;
}

export function duplicateMessage(key: string, first: Position): string {
  return `cannot set "${key}" twice: it is set already at ${first.line}:${first.column}; keep one of them`;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  "Source contains multiple documents; please use YAML.parseAllDocuments()": "a second document begins here",
};

function syntaxMessage(format: string, message: string): string {
  const [first = ""] = message.split("\n");
  return `cannot read this as ${format}: ${SYNTAX_HINTS[first] ?? first}; correct the syntax`;
}

const UNEXPECTED = /^Unexpected token/;

/** V8 tells of an unexpected character, but not where: it is the last one of the shortest text that has the problem. */
function unexpectedAt(text: string): number {
  const hasProblem = (length: number) => {
    try {
      JSON.parse(text.slice(0, length));
      return false;
    } catch (error) {
      return UNEXPECTED.test((error as Error).message);
    }
  };
  let [without, within] = [0, text.length];
  while (within - without > 1) {
    const middle = Math.floor((without + within) / 2);
    if (hasProblem(middle)) within = middle;
    else without = middle;
  }
  return within - 1;
}

async function jsonSyntaxProblem(file: string, text: string, error: Error): Promise<Diagnostic> {
  const { LineCounter: Counter } = await import("yaml");
  const lines = new Counter();
  lines.addNewLine(0);
  for (const match of text.matchAll(/\n/g)) lines.addNewLine(match.index + 1);
  const position = /at position (\d+)/.exec(error.message)?.[1];
  const offset =
    position !== undefined
      ? Number(position)
      : UNEXPECTED.test(error.message)
        ? unexpectedAt(text)
        : text.length;
  const detail = error.message.replace(/ in JSON.*| \(line.*$/s, "").replace(/, "?.*is not valid JSON$/s, "");
  return problemAt({ file, ...positionAt(lines, offset) }, syntaxMessage("JSON", detail));
}
