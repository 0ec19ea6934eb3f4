import { problemAt } from "../check/keys.ts";
import type { Reading } from "../place.ts";
import { foreignText, foreignValue } from "./foreign-files.ts";
import { KdlDecoder } from "./kdl-decoder.ts";
import { type KdlProblem, parseKdl } from "./kdl-parser.ts";
import type { ObjectShape } from "./shape.ts";

/** Reads KDL 2 by the schema: the field that a node sets decides what the node may hold. */
export async function readKdl(file: string, text: string, shape: ObjectShape): Promise<Reading> {
  const foreign = foreignInKdl(text, shape);
  if (foreign !== undefined) return { problems: [located(file, { line: 1, column: 1, message: foreign })] };
  const { nodes, problems: wrong } = await parseKdl(text);
  if (wrong.length > 0) return { problems: wrong.map((problem) => located(file, problem)) };
  const decoder = new KdlDecoder();
  const value = decoder.block(nodes, shape, []);
  const as = { file, style: "kebab" } as const;
  const { meant, places } = decoder.found;
  const document = { ...as, value, meant, places };
  const again = decoder.again.map((other) => ({ ...as, ...other }));
  const problems = decoder.found.problems.map((problem) => located(file, problem));
  return { document, ...(again.length > 0 && { again }), problems };
}

/** What a text really is, if it begins as no KDL configuration does. */
function foreignInKdl(text: string, shape: ObjectShape): string | undefined {
  const first = text.split("\n").find((line) => !/^\s*(?:#|\/\/|$)/.test(line)) ?? "";
  if (/^\s*[<[]/.test(first) || isMapping(first)) {
    const found = foreignText(text, shape.keys.keys(), "kebab");
    if (found !== undefined) return found;
  }
  if (/^\s*\{/.test(first)) {
    const value = jsonIn(text);
    const found = foreignValue(value, shape.keys.keys(), "kebab")?.message;
    return found ?? (value === undefined ? undefined : otherFormat("JSON", ".json"));
  }
  return isMapping(first) ? otherFormat("YAML", ".yaml") : undefined;
}

const isMapping = (line: string) => /^["']?[\w-]+["']?:(?:\s|$)/.test(line);

const otherFormat = (format: string, extension: string) =>
  `cannot read this as KDL: it is ${format}; rename the file so that it ends with ${extension}`;

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const located = (file: string, { line, column, message }: KdlProblem) =>
  problemAt({ file, line, column }, message);
