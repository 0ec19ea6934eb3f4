import type { Part, Scalar } from "../part.ts";
import { Unreadable } from "./lines.ts";

/** TOML. Its parser tells no places, so a key has the line on which its name begins one, or its table's. */
export async function parseToml(text: string): Promise<Part> {
  const { parse, TomlError } = await import("smol-toml");
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new Unreadable(
      error.line,
      `it is not TOML: ${(error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "")}`,
    );
  }
  const lines = linesOf(text);
  const part = (of: unknown, path: readonly string[], above: number): Part => {
    const line = lines.get(path.join("\0")) ?? above;
    if (Array.isArray(of))
      return { value: of.map((item, i) => part(item, [...path, String(i)], line)), line };
    if (typeof of === "object" && of !== null && !(of instanceof Date)) {
      const entries = Object.entries(of).map(
        ([key, item]) => [key, part(item, [...path, key], line)] as const,
      );
      return { value: new Map(entries), line };
    }
    return { value: of instanceof Date || typeof of === "bigint" ? String(of) : (of as Scalar), line };
  };
  return part(value, [], 1);
}

function linesOf(text: string): Map<string, number> {
  const found = new Map<string, number>();
  let table: string[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?([^[\]]+)\]\]?\s*(?:#.*)?$/.exec(line)?.[1];
    if (header !== undefined) table = namesIn(header);
    const path =
      header === undefined ? [...table, ...namesIn(/^\s*([^=#]+?)\s*=/.exec(line)?.[1] ?? "")] : table;
    for (let depth = 1; depth <= path.length; depth++) {
      const key = path.slice(0, depth).join("\0");
      if (!found.has(key)) found.set(key, i + 1);
    }
  }
  return found;
}

/** `a."b.c".d` */
const namesIn = (dotted: string): string[] =>
  [...dotted.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([^.\s"']+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
