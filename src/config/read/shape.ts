import type { z } from "zod";
import { type PathKind, pathKindOf } from "../../model/path-text.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";

/** The outline of a zod schema: as much as a reader needs to know to name keys and to read KDL nodes. */
export type Shape =
  /** `path`: its text is a path, or names a program. */
  | { readonly kind: "scalar"; readonly path?: PathKind }
  | { readonly kind: "list"; readonly item: Shape }
  | { readonly kind: "map"; readonly value: Shape }
  | { readonly kind: "object"; readonly keys: ReadonlyMap<string, Shape> }
  /** One of several, told apart by what kind of value is there; each part at most once. */
  | {
      readonly kind: "either";
      readonly scalar: boolean;
      readonly path?: PathKind;
      readonly list?: ListShape;
      readonly object?: ObjectShape;
    };

export type ListShape = Extract<Shape, { kind: "list" }>;
export type ObjectShape = Extract<Shape, { kind: "object" }>;

// zod 4's classic classes keep their parts in `def`; these are the kinds that the schema uses.
type Def =
  | { type: "optional" | "default" | "prefault" | "nullable"; innerType: z.ZodType }
  | { type: "union"; options: readonly z.ZodType[] }
  | { type: "array"; element: z.ZodType }
  | { type: "record"; valueType: z.ZodType }
  | { type: "object"; shape: Record<string, z.ZodType> }
  | { type: "string" | "number" | "boolean" | "literal" | "enum" };

export function shapeOf(schema: z.ZodType): Shape {
  const def = schema.def as unknown as Def;
  switch (def.type) {
    case "optional":
    case "default":
    case "prefault":
    case "nullable":
      return shapeOf(def.innerType);
    case "array":
      return { kind: "list", item: shapeOf(def.element) };
    case "record":
      return { kind: "map", value: shapeOf(def.valueType) };
    case "object":
      return {
        kind: "object",
        keys: new Map(Object.entries(def.shape).map(([key, of]) => [key, shapeOf(of)])),
      };
    case "union":
      return def.options.map(shapeOf).reduce(either);
    default: {
      const path = pathKindOf(schema);
      return { kind: "scalar", ...withoutUndefined({ path }) };
    }
  }
}

/** The part of a shape that a value of this kind is read by. */
export function listPart(shape: Shape): ListShape | undefined {
  return shape.kind === "either" ? shape.list : shape.kind === "list" ? shape : undefined;
}

export function objectPart(shape: Shape): ObjectShape | undefined {
  return shape.kind === "either" ? shape.object : shape.kind === "object" ? shape : undefined;
}

/** Whether a text of this shape is a path. */
export function pathPart(shape: Shape): PathKind | undefined {
  return shape.kind === "scalar" || shape.kind === "either" ? shape.path : undefined;
}

/** The schema's keys, for a shape that is a block. */
export function keysOf(shape: Shape): Iterable<string> {
  return objectPart(shape)?.keys.keys() ?? [];
}

export function takesScalar(shape: Shape): boolean {
  return shape.kind === "scalar" || (shape.kind === "either" && shape.scalar);
}

function either(a: Shape, b: Shape): Shape {
  if (a.kind === "scalar" && b.kind === "scalar") return a;
  const path = pathPart(a) ?? pathPart(b);
  const list = listPart(a) ?? listPart(b);
  const objects = [objectPart(a), objectPart(b)].filter((part) => part !== undefined);
  const object: ObjectShape = { kind: "object", keys: new Map(objects.flatMap((part) => [...part.keys])) };
  const scalar = takesScalar(a) || takesScalar(b);
  if (objects.length === 2 && !scalar && !list) return object;
  return {
    kind: "either",
    scalar,
    ...withoutUndefined({ path, list }),
    ...(objects.length > 0 && { object }),
  };
}
