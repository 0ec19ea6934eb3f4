import type { JsonSchema } from "./json-schema.ts";
import { jsonText } from "./json-text.ts";

/** Shortest part that is worth a reference, characters of JSON. */
const LEAST = 300;

/** The text of a schema. A repeated part becomes a reference to its first place: server settings occur in several. */
export function schemaText(schema: JsonSchema): string {
  return jsonText(referring(schema, "#", new Map()));
}

function referring(part: JsonSchema, at: string, seen: Map<string, string>): JsonSchema {
  const whole = JSON.stringify(part);
  const first = seen.get(whole);
  if (first !== undefined) return { $ref: first };
  if (whole.length >= LEAST) seen.set(whole, at);
  const each = (parts: Readonly<Record<string, JsonSchema>>, key: string) =>
    Object.fromEntries(
      Object.entries(parts).map(([name, one]) => [
        name,
        referring(one, `${at}/${key}/${escaped(name)}`, seen),
      ]),
    );
  const all = (parts: readonly JsonSchema[], key: string) =>
    parts.map((one, i) => referring(one, `${at}/${key}/${i}`, seen));
  const { properties, patternProperties, items, additionalProperties, anyOf, oneOf } = part;
  return {
    ...part,
    ...(properties && { properties: each(properties, "properties") }),
    ...(patternProperties && { patternProperties: each(patternProperties, "patternProperties") }),
    ...(items && { items: referring(items, `${at}/items`, seen) }),
    ...(additionalProperties && {
      additionalProperties: referring(additionalProperties, `${at}/additionalProperties`, seen),
    }),
    ...(anyOf && { anyOf: all(anyOf, "anyOf") }),
    ...(oneOf && { oneOf: all(oneOf, "oneOf") }),
  };
}

/** As a JSON pointer wants it, in a URI. */
const escaped = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
