import type { z } from "zod";

/** A text that is a path on the machine: `file`, or `program`, which is one where it has a slash. */
export type PathKind = "file" | "program";

/** Beside the schemas, since what is said in them goes into the JSON Schema for editors; and without zod, for who only reads. */
const KINDS = new WeakMap<object, PathKind>();

/** Marks a schema, and what is made of it by `describe` and its like. */
export function asPath<T extends z.ZodType>(is: PathKind, schema: T): T {
  KINDS.set(schema, is);
  return schema;
}

/** Of a schema that is a path. */
export function pathKindOf(schema: z.ZodType): PathKind | undefined {
  for (let one: z.core.$ZodType | undefined = schema; one; one = one._zod.parent) {
    const kind = KINDS.get(one);
    if (kind !== undefined) return kind;
  }
  return undefined;
}
