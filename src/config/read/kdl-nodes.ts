import { formatPath, type KeyPath, toKebab } from "../place.ts";
import { policyOf } from "./foreign-words.ts";
import type { KdlArgument, KdlNode } from "./kdl-parser.ts";
import { type ListShape, type ObjectShape, objectPart, type Shape } from "./shape.ts";

/** What a KDL node means by the schema, and what to say about one that does not fit. */

/** Keys whose value a node gives as its argument: `readiness "log" …`, `depends-on "db" …`, `schedule "@daily" …`. */
const ARGUMENT_KEYS = ["type", "server", "cron"];

/** Name of the node → key in the schema. A map of blocks is written as one node for each, in the singular. */
export function kdlKeys(shape: ObjectShape): ReadonlyMap<string, string> {
  return new Map(
    [...shape.keys].map(([key, of]) => [isNamedMap(of) ? key.replace(/s$/, "") : toKebab(key), key]),
  );
}

export function isNamedMap(shape: Shape): shape is Extract<Shape, { kind: "map" }> {
  return shape.kind === "map" && shape.value.kind === "object";
}

/** Blocks that hold on some machines. */
export function isListOfOnBlocks(shape: Shape): shape is ListShape {
  return shape.kind === "list" && objectPart(shape.item)?.keys.get("when")?.kind === "object";
}

export function isDependencies(shape: Shape): shape is ListShape {
  return shape.kind === "list" && objectPart(shape.item) !== undefined;
}

export function argumentKey(shape: ObjectShape): string | undefined {
  return ARGUMENT_KEYS.find((key) => shape.keys.has(key));
}

export function kebabPath(path: KeyPath): KeyPath {
  return path.length === 0 ? [] : [formatPath(path, "kebab")];
}

export function excessMessage(
  node: KdlNode,
  excess: KdlArgument,
  siblings: ReadonlyMap<string, string>,
  one: boolean,
): string {
  const written = JSON.stringify(excess.value);
  const sibling = node.arguments.find(({ value }) => typeof value === "string" && siblings.has(value));
  if (sibling) return sameLineMessage(node.name, String(sibling.value), true);
  const takes = one ? "takes one value" : "is a block";
  const policy = node.name === "restart" ? policyOf(excess.value) : undefined;
  const inside = policy === undefined ? "…" : `policy "${policy}"`;
  return `cannot use ${written} here: ${node.name} ${takes}; write ${one ? `${node.name} and one value` : `${node.name} { ${inside} }`}`;
}

export function sameLineMessage(name: string, next: string, known: boolean): string {
  if (!known) return `cannot use ${next} here: ${name} takes one value; remove it`;
  return `cannot give ${name} several values: in KDL a line is one node; put ";" or a line break before ${next}`;
}
