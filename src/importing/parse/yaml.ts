import type { Node } from "yaml";
import type { Part, Scalar } from "../part.ts";
import { keyOnce, lineFinder, Unreadable } from "./lines.ts";

/** As many nodes as all aliases of a file may come to: a small file can ask for billions. */
const MOST_NODES = 100_000;

/** YAML 1.2 with merge keys, as the tools that read such files take it. */
export async function parseYaml(text: string): Promise<Part> {
  const { isAlias, isMap, isScalar, isSeq, parseDocument } = await import("yaml");
  const line = lineFinder(text);
  const document = parseDocument(text, { merge: true, uniqueKeys: false });
  const [error] = document.errors;
  if (error) throw new Unreadable(line(error.pos[0]), `it is not YAML: ${error.message.split("\n")[0]}`);
  let nodes = 0;
  const part = (node: unknown, at: number, depth: number): Part => {
    if (++nodes > MOST_NODES || depth > 100)
      throw new Unreadable(at, "it has too many values, or too deep ones");
    if (isAlias(node)) return part(node.resolve(document), at, depth + 1);
    if (isSeq(node))
      return { value: node.items.map((item) => part(item, placed(item, at), depth + 1)), line: at };
    if (isMap(node)) {
      const own = new Map<string, Part>();
      const merged: [string, Part][] = [];
      for (const pair of node.items) {
        const value = part(pair.value, placed(pair.key, at), depth + 1);
        if (isScalar(pair.key) && pair.key.source === "<<") merged.push(...entriesOf(value));
        else {
          const key = isScalar(pair.key) ? String(pair.key.value) : "";
          keyOnce(own, key, placed(pair.key, at));
          own.set(key, value);
        }
      }
      // What a map says itself goes before what it takes over from another, wherever that is written.
      return { value: new Map([...merged.reverse(), ...own]), line: at };
    }
    return { value: isScalar(node) ? scalar(node.value) : null, line: at };
  };
  const placed = (node: unknown, at: number) => {
    const start = (node as Node | null)?.range?.[0];
    return start === undefined ? at : line(start);
  };
  return part(document.contents, 1, 0);
}

const scalar = (value: unknown): Scalar =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : String(value);

function entriesOf({ value }: Part): [string, Part][] {
  const maps = Array.isArray(value) ? value.map((one) => one.value) : [value];
  return maps.flatMap((map) => (map instanceof Map ? [...map] : []));
}
