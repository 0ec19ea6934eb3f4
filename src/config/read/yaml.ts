import type { YAMLMap } from "yaml";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { isObject } from "../../model/object.ts";
import { canonicalKeys, meantBy, problemAt } from "../check/keys.ts";
import { locate, type Places, type Position, type Reading } from "../place.ts";
import { foreignText, foreignValue } from "./foreign-files.ts";
import { jsonPlaces } from "./json-places.ts";
import { isDeepValue, isDeepYaml, TOO_DEEP } from "./nesting.ts";
import { keysOf, type Shape } from "./shape.ts";
import { keyText, type Parsed, positionAt, startOf, type Yaml, yamlValue } from "./yaml-value.ts";

/** Reads YAML 1.2. Keys are kebab-case. */
export async function readYaml(file: string, text: string, shape: Shape): Promise<Reading> {
  const yaml = await import("yaml");
  if (isDeepYaml(new yaml.Lexer().lex(text))) return tooDeep(file);
  const parsed = parse(yaml, text);
  const at = (offset: number) => ({ file, ...positionAt(parsed.lines, offset) });
  const errors = [...parsed.document.errors, ...parsed.document.warnings];
  const problems = errors.map((error) => problemAt(at(error.pos[0]), syntaxMessage("YAML", error.message)));
  const { dangling, complex, twice } = faultyParts(parsed, file);
  for (const { offset, name } of dangling) {
    problems.push(
      problemAt(
        at(offset),
        `cannot find the anchor &${name} for *${name}: define it earlier in the file, or write the value itself`,
      ),
    );
  }
  problems.push(
    ...complex.map((offset) => problemAt(at(offset), "cannot use a list or a map as a key: use a string")),
  );
  problems.push(...twice);
  if (errors.length + complex.length + dangling.length > 0) {
    const foreign = foreignText(text, keysOf(shape), "kebab");
    return { problems: foreign === undefined ? problems : [problemAt(at(0), foreign)] };
  }
  const found = yamlValue(parsed, file);
  if (found === undefined) return { problems: [...problems, tooManyAliases(at(0))] };
  const { value, places } = found;
  const foreign = isObject(value) || value === null ? undefined : foreignText(text, keysOf(shape), "kebab");
  if (foreign !== undefined) return { problems: [problemAt(at(0), foreign)] };
  return withProblems([...problems, ...found.problems], reading(file, value ?? {}, shape, places, "kebab"));
}

const tooManyAliases = (place: Pick<Diagnostic, "file" | "line" | "column">) =>
  problemAt(place, "cannot expand so many aliases: write out their values");

/** Reads strict JSON. Keys are camelCase. */
export async function readJson(file: string, text: string, shape: Shape): Promise<Reading> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    const foreign = foreignText(text, keysOf(shape), "camel");
    if (foreign !== undefined) return { problems: [problemAt({ file, line: 1, column: 1 }, foreign)] };
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
  if (!isObject(raw)) return raw;
  return Object.fromEntries(Object.entries(raw).filter(([key]) => key !== "$schema"));
}

/** A file of another tool has one problem: that it is one. */
function withProblems(problems: readonly Diagnostic[], reading: Reading): Reading {
  if (reading.document === undefined) return reading;
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
  const foreign = foreignValue(raw, keysOf(shape), style);
  if (foreign !== undefined) {
    const place = locate(places, foreign.path, "key");
    return { problems: [problemAt({ file, ...place }, foreign.message)] };
  }
  const { value, unknown } = canonicalKeys(raw, shape, style, { extensions: true });
  const problems = unknown.map(({ path, message }) =>
    problemAt({ file, ...locate(places, path, "key") }, message),
  );
  return { document: { file, style, value, meant: meantBy(unknown), places }, problems };
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

/** What the parser lets pass. All of it is found in one walk, as a walk takes longer than a look at each part. */
function faultyParts(parsed: Parsed, file: string) {
  const { yaml } = parsed;
  /** Aliases before their anchor, or without one. Looking up each on its own would walk the document every time. */
  const dangling: { offset: number; name: string }[] = [];
  const complex: number[] = [];
  const twice: Diagnostic[] = [];
  const anchors = new Set<string>();
  for (const part of everyPart(parsed)) {
    if (yaml.isPair(part)) {
      if (yaml.isCollection(part.key) || yaml.isAlias(part.key)) complex.push(startOf(part.key) ?? 0);
    } else if (yaml.isAlias(part)) {
      if (!anchors.has(part.source)) dangling.push({ offset: startOf(part) ?? 0, name: part.source });
    } else if (yaml.isScalar(part) || yaml.isCollection(part)) {
      if (part.anchor !== undefined) anchors.add(part.anchor);
      if (yaml.isMap(part)) twice.push(...duplicateKeys(parsed, part, file));
    }
  }
  return { dangling, complex, twice };
}

function duplicateKeys({ yaml, lines }: Parsed, map: YAMLMap, file: string): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const seen = new Map<string, unknown>();
  for (const pair of map.items) {
    const key = keyText(yaml, pair);
    const position = (of: unknown) => positionAt(lines, startOf(of) ?? 0);
    if (!seen.has(key)) seen.set(key, pair.key);
    else
      problems.push(
        problemAt({ file, ...position(pair.key) }, duplicateMessage(key, position(seen.get(key)))),
      );
  }
  return problems;
}

export function duplicateMessage(key: string, first: Position): string {
  return `cannot set "${key}" twice: it is already set at ${first.line}:${first.column}; keep one of them`;
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
