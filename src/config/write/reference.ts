import type { z } from "zod";
import { actionInput } from "../../model/action-input.ts";
import { rootInput, serverInput } from "../../model/server.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";

/** The text of `docs/reference/configuration.md`. */
export function referenceText(): string {
  return `# Configuration

Written by \`npm run generate\` from the schema. Keys are in kebab-case in KDL and YAML; TypeScript and JSON write them in camelCase (\`working-dir\`, \`workingDir\`).

In YAML and JSON keys that begin with \`x-\` are ignored, in any block. In YAML, \`<<\` merges maps: \`<<: *name\`, or \`<<: [*first, *second]\`. What stands beside it counts more, and so does the first of a list.

In paths, \`{host}\`, \`{user}\`, \`{os}\` and \`{home}\` stand for the machine; \`{{host}}\` gives \`{host}\`. See [machines](../machines.md).

Durations are written \`250ms\`, \`2s\` or \`1m30s\`, also in words as in \`2h 37min\` and \`30 secs\`; sizes \`64KiB\` or \`10MiB\`.

## A server

In \`servers.d/NAME.kdl\`, \`.yaml\` or \`.json\`, or under \`servers\` (in KDL: \`server "NAME" { … }\`) in \`xy.config.*\`.

${table(serverInput)}

### Secrets

A value of \`env\` may be read when the configuration is applied: from the environment of the command that applies, from a file, or from the output of a shell command line. Plans and records hold the reference and a keyed hash, never the value.

| format | environment | file | command |
| --- | --- | --- | --- |
| KDL | \`TOKEN (env)"NAME"\` | \`TOKEN (file)"~/.token"\` | \`TOKEN (command)"op read …"\` |
| YAML | \`TOKEN: { secret: { env: NAME } }\` | \`TOKEN: { secret: { file: ~/.token } }\` | \`TOKEN: { secret: { command: op read … } }\` |
| TypeScript | \`TOKEN: secret.env("NAME")\` | \`TOKEN: secret.file("~/.token")\` | \`TOKEN: secret.command("op read …")\` |

### Settings for some machines

\`when\` says on which machines a server is declared at all. A block \`on\` has settings for some machines: it is merged over the rest of the server, as that is over the defaults, where its conditions hold. Of two that hold the later one counts more. It takes every setting of a server but \`when\` and \`on\`. What is wrong in it is told on every machine.

| format | |
| --- | --- |
| KDL | \`on host="work" os="linux" { port 8422; }\`, or, for several names, \`on { when { host "work" "lab"; }; port 8422; }\` |
| YAML | \`on: [{ when: { host: work, os: linux }, port: 8422 }]\` |
| JSON, TypeScript | \`on: [{ when: { host: "work", os: "linux" }, port: 8422 }]\` |

In KDL the properties of \`on\` are its conditions, and what stands in its braces are the settings: \`on host="work" { host "0.0.0.0"; }\` listens elsewhere at work.

One name may be declared more than once if no machine matches the \`when\` of two of them.

\`on\` in a project changes its \`backend\`, \`defaults\`, \`path\`, \`systemd\`, \`supervisord\` and \`clients\` in the same way, before the servers are looked at: \`on os="macos" { defaults { limits { open-files 4096; }; }; }\`.

A host name is written in lower case and without the domain, as \`hostname -s\` prints it.

## An action

Under \`actions\` of a server or of a project; in KDL: \`action "NAME" { … }\`. See [jobs](../jobs.md).

${table(actionInput)}

## A project

In \`xy.config.*\`, and in files that it includes, those without \`project\`: see [machines](../machines.md).

${table(rootInput)}
`;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly note: string;
}

function table(schema: z.ZodType): string {
  const rows = rowsOf(jsonSchemaOf(schema, "kebab"), "");
  const lines = rows.map(
    ({ name, type, fallback, note }) => `| \`${name}\` | ${cell(type)} | ${cell(fallback)} | ${cell(note)} |`,
  );
  return ["| field | type | default | note |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

const cell = (text: string) => text.replaceAll("|", "\\|");

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, of]) => {
    const name = prefix + key;
    const nested = AGAIN.includes(key) ? [] : innerRows(of, name);
    return [
      { name, type: typeWords(of), fallback: fallbackText(of, schema, key), note: of.description ?? "" },
      ...nested,
    ];
  });
}

/** Servers again, or blocks with the same settings. */
const AGAIN = ["defaults", "servers", "on"];

/** Rows of the blocks that a field may be: a key that several of them have comes once. */
function innerRows(schema: JsonSchema, name: string): Row[] {
  if (schema.items) return innerRows(schema.items, `${name}[]`);
  // A map of which the names are known: other maps are of servers and variables, or stand elsewhere.
  if (schema.propertyNames?.enum && schema.additionalProperties)
    return innerRows(schema.additionalProperties, `${name}.NAME`);
  const blocks = blocksOf(schema);
  const rows = blocks.flatMap((block) => rowsOf(block, `${name}.`));
  const names = [...new Set(rows.map((row) => row.name))].sort(
    (a, b) => Number(isType(b)) - Number(isType(a)),
  );
  return names.map((row) =>
    together(
      rows.filter((other) => other.name === row),
      blocks.length,
    ),
  );
}

const isType = (name: string) => name.endsWith(".type");

function blocksOf(schema: JsonSchema): JsonSchema[] {
  if (schema.properties) return [schema];
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(blocksOf);
}

function together(rows: readonly Row[], blocks: number): Row {
  const first = rows[0] as Row;
  const type = [...new Set(rows.map((row) => row.type))].join(", ");
  // Required in one of several kinds of block only: its note says in which.
  const fallback = first.fallback === "required" && rows.length < blocks ? "" : first.fallback;
  return { ...first, type, fallback };
}

function fallbackText(schema: JsonSchema, parent: JsonSchema, key: string): string {
  if (parent.required?.includes(key)) return "required";
  const value = schema.default;
  return value === undefined || JSON.stringify(value) === "{}" ? "" : `\`${JSON.stringify(value)}\``;
}

function typeWords(schema: JsonSchema): string {
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(options.map(typeWords))].join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (schema.title !== undefined) return schema.title;
  if (schema.type === "array") return `list of ${typeWords(schema.items ?? {})}`;
  if (schema.type === "object")
    return schema.properties ? "block" : `map of ${typeWords(schema.additionalProperties || {})}`;
  if (schema.type === "integer") return "whole number";
  return schema.type === "string" ? "text" : [schema.type ?? ""].flat().join(" or ");
}
