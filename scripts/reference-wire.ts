import { contract } from "../src/rpc/contract.ts";
import { errorMeaning, RPC_ERRORS } from "../src/rpc/errors.ts";
import { notifications } from "../src/rpc/notifications.ts";
import { NAMED, referenceName, type WireSchema, wireSchemaOf } from "../src/rpc/schema.ts";

/** The reference of the wire protocol, from the schemas that validate the calls. */
export function wireReferenceText(): string {
  const methods = Object.entries(contract).map(([name, { summary, params, result }]) =>
    section(
      name,
      summary,
      `params: ${typeText(wireSchemaOf(params, "input"), 0)}`,
      `result: ${typeText(wireSchemaOf(result, "output"), 0)}`,
    ),
  );
  const told = Object.entries(notifications).map(([name, { summary, params }]) =>
    section(name, summary, `params: ${typeText(wireSchemaOf(params, "output"), 0)}`),
  );
  const errors = Object.entries(RPC_ERRORS).map(([name, code]) => `| ${code} | ${errorMeaning(name)} |`);
  return `${[
    "# Wire protocol: methods",
    "Generated from `src/rpc/contract.ts` by `npm run generate`. [wire.md](../wire.md) explains how to connect and what a frame is.",
    "Types are written as in TypeScript, except for `integer`, a whole number. A `?` marks what may be omitted; a comment gives the default.",
    "## Methods",
    ...methods,
    "## Notifications",
    ...told,
    ...Object.entries(NAMED).flatMap(([name, { about, schema, io }]) => [
      `## ${name}`,
      about,
      block(`${name}: ${typeText(wireSchemaOf(schema, io), 0)}`),
    ]),
    "## Errors",
    ["| code | meaning |", "| --- | --- |", ...errors].join("\n"),
  ].join("\n\n")}\n`;
}

const section = (name: string, summary: string, ...lines: readonly string[]) =>
  [`### ${name}`, `${summary}.`, block(...lines)].join("\n\n");

/** A union that takes several lines begins on a line of its own. */
const block = (...lines: readonly string[]) =>
  `\`\`\`ts\n${lines.join("\n").replaceAll(": \n", ":\n")}\n\`\`\``;

/** Longest line of code, in columns. */
const WIDTH = 96;

function typeText(schema: WireSchema, indent: number): string {
  const name = referenceName(schema);
  if (name !== undefined) return name;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return unionText(choices, indent);
  switch (schema.type) {
    case "object":
      return objectText(schema, indent);
    case "array":
      return `${inBrackets(typeText(schema.items ?? {}, indent))}[]`;
    case "integer":
      return "integer";
    case undefined:
      return "unknown";
    default:
      return [schema.type].flat().join(" | ");
  }
}

const inBrackets = (text: string) => (/^[^{[]* \| /.test(text) ? `(${text})` : text);

function unionText(choices: readonly WireSchema[], indent: number): string {
  const texts = choices.map((choice) => typeText(choice, indent));
  const line = texts.join(" | ");
  if (line.length + indent <= WIDTH && !line.includes("\n")) return line;
  return texts.map((text) => `\n${" ".repeat(indent + 2)}| ${text.replaceAll("\n", "\n  ")}`).join("");
}

function objectText(
  { properties = {}, additionalProperties, required = [] }: WireSchema,
  indent: number,
): string {
  const fields = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : "?";
    const fallback = schema.default === undefined ? "" : ` /* ${JSON.stringify(schema.default)} */`;
    return `${name}${optional}: ${typeText(schema, indent + 2)}${fallback}`;
  });
  if (fields.length === 0 && typeof additionalProperties === "object") {
    return `{ [name: string]: ${typeText(additionalProperties, indent + 2)} }`;
  }
  if (fields.length === 0) return "{}";
  const line = `{ ${fields.join(", ")} }`;
  if (line.length + indent <= WIDTH && !line.includes("\n")) return line;
  const inner = " ".repeat(indent + 2);
  return `{\n${fields.map((field) => `${inner}${field},\n`).join("")}${" ".repeat(indent)}}`;
}
