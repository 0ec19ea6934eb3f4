import type { JsonSchema } from "./json-schema.ts";

/** JSON Schema as TypeScript, for declarations that need no package to be understood. */

/** Form of a schema → name of the type that is declared for it. */
export type Names = Map<string, string>;

/** What makes two schemas the same type: everything but the texts about it. */
export function form(schema: JsonSchema): string {
  const { $schema: _s, description: _d, default: _v, ...rest } = schema;
  return JSON.stringify(rest);
}

export function typeText(schema: JsonSchema, named: Names, indent: string): string {
  const name = named.get(form(schema));
  if (name !== undefined) return name;
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map((option) => typeText(option, named, indent)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (schema.type) {
    case "array":
      return listText(typeText(schema.items ?? {}, named, indent));
    case "object":
      return schema.properties ? objectText(schema, named, indent) : mapText(schema, named, indent);
    default:
      return [schema.type ?? "unknown"].flat().map(scalarText).join(" | ");
  }
}

const scalarText = (type: string) => (type === "integer" ? "number" : type);
const listText = (item: string) => `readonly ${item.includes(" | ") ? `(${item})` : item}[]`;

function mapText({ additionalProperties, propertyNames }: JsonSchema, named: Names, indent: string): string {
  const names = propertyNames?.enum?.map((name) => JSON.stringify(name)).join(" | ");
  const map = `Record<${names ?? "string"}, ${typeText(additionalProperties || {}, named, indent)}>`;
  return names === undefined ? `Readonly<${map}>` : `Readonly<Partial<${map}>>`;
}

function objectText(schema: JsonSchema, named: Names, indent: string): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([key, of]) => {
    const optional = required.includes(key) ? "" : "?";
    const type = typeText(of, named, inner);
    return `${comment(of, inner)}${inner}readonly ${key}${optional}: ${type}${optional && " | undefined"};\n`;
  });
  if (additionalProperties) lines.push(`${inner}readonly [more: string]: unknown;\n`);
  if (lines.length === 0 && additionalProperties === false) return "Readonly<Record<string, never>>";
  return `{\n${lines.join("")}${indent}}`;
}

function comment({ description, default: value }: JsonSchema, indent: string): string {
  const shown =
    value === undefined || JSON.stringify(value) === "{}" ? "" : ` Default: ${JSON.stringify(value)}.`;
  return description === undefined ? "" : `${indent}/** ${description}${shown} */\n`;
}
