import type { Node, ParseError } from "jsonc-parser";
import type { Part } from "../part.ts";
import { keyOnce, lineFinder, Unreadable } from "./lines.ts";

/** JSON, with comments and trailing commas, as the files of editors have them. */
export async function parseJson(text: string): Promise<Part> {
  const { parseTree, printParseErrorCode } = await import("jsonc-parser");
  const line = lineFinder(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: false });
  const [error] = errors;
  if (error !== undefined)
    throw new Unreadable(line(error.offset), `it is not JSON: ${words(printParseErrorCode(error.error))}`);
  if (root === undefined) throw new Unreadable(1, "it is empty");
  const part = (node: Node, at = node.offset): Part => {
    const children = node.children ?? [];
    if (node.type === "array") return { value: children.map((child) => part(child)), line: line(at) };
    if (node.type !== "object") return { value: node.value, line: line(at) };
    const map = new Map<string, Part>();
    for (const { children: [key, value] = [] } of children) {
      if (!key || !value) continue;
      keyOnce(map, String(key.value), line(key.offset));
      map.set(String(key.value), part(value, key.offset));
    }
    return { value: map, line: line(at) };
  };
  return part(root);
}

/** `CommaExpected` → "comma expected" */
const words = (code: string) => code.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
