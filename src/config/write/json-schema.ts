import { z } from "zod";
import { type KeyStyle, toKebab } from "../place.ts";

/** The part of JSON Schema that zod writes for the configuration. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
}

/** JSON Schema of what a person may write, with keys spelled as in the format. */
export function jsonSchemaOf(schema: z.ZodType, style: KeyStyle): JsonSchema {
  const whole = z.toJSONSchema(schema, { io: "input", override: allowExtensions }) as JsonSchema;
  if (style === "kebab") return kebabKeys(whole) as JsonSchema;
  // An editor finds the schema of a JSON file by a key in it.
  return { ...whole, properties: { $schema: { type: "string" }, ...whole.properties } };
}

/** Keys that begin with `x-` are ignored. */
function allowExtensions({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.additionalProperties === false) jsonSchema.patternProperties = { "^x-": {} };
}

/** Only keys that the schema itself names are in `properties`; the names that people choose are not. */
function kebabKeys(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(kebabKeys);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => {
      if (key === "properties") return [key, renamed(value as Record<string, unknown>)];
      if (key === "required") return [key, (value as string[]).map(toKebab)];
      return [key, key === "default" ? value : kebabKeys(value)];
    }),
  );
}

function renamed(properties: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [toKebab(key), kebabKeys(value)]),
  );
}
