import { z } from "zod";
import { secretInput } from "../model/input-parts.ts";
import { rootInput, serverInput, whenInput } from "../model/server.ts";
import type { JsonSchema } from "./json-schema.ts";

/**
 * What `import … from "xyctl"` means to an editor: as the declarations of the package, or as those of a module that
 * is not installed, which is how `xy init` writes them.
 */
export function declarationText(kind: "package" | "ambient"): string {
  const types = [...inputTypes(), FUNCTIONS].join("\n");
  if (kind === "package") return `${types.replace(/^ {2}/gm, "")}`;
  return `${AMBIENT_HEAD}declare module "xyctl" {\n${types}}\n`;
}

const AMBIENT_HEAD = `// Written by "xy init" for editors and tsc. Not read by xy; write it anew after an upgrade.\n\n`;

function inputTypes(): string[] {
  const schema = (of: z.ZodType) => z.toJSONSchema(of, { io: "input" }) as JsonSchema;
  const named: Names = new Map();
  const declare = (name: string, about: string, of: z.ZodType) => {
    const text = `  /** ${about} */\n  export interface ${name} ${typeText(schema(of), named, "  ")}\n`;
    named.set(form(schema(of)), name);
    return text;
  };
  const when = declare(
    "When",
    "On which machines something holds: every key that is given must match.",
    whenInput,
  );
  const secret = declare("Secret", "A value that is read when the configuration is applied.", secretInput);
  const server = declare("Server", "One server.", serverInput);
  named.set(form(schema(serverInput.partial())), "Partial<Server>");
  const root = declare("Root", "A project: its servers, and what they have in common.", rootInput);
  return [when, secret, server, root];
}

const FUNCTIONS = `  /** The machine that a configuration is evaluated on. */
  export interface Context {
    readonly os: "linux" | "macos" | "other";
    /** As Node says it: x64, arm64, … */
    readonly arch: string;
    /** Short host name, without the domain. */
    readonly host: string;
    readonly user: string;
    readonly home: string;
    /** Environment of the command that reads the configuration. */
    readonly env: Readonly<Record<string, string | undefined>>;
  }

  export type Config = Root | ((context: Context) => Root | Promise<Root>);

  export function defineConfig(config: Config): Config;

  /** References to values that are read when the configuration is applied, and kept out of plans. */
  export const secret: {
    /** A variable in the environment of the command that applies. */
    env(name: string): Secret;
    /** The content of a file; one final line break is left out. */
    file(path: string): Secret;
    /** The output of a shell command line; one final line break is left out. */
    command(line: string): Secret;
  };
`;

/** Form of a schema → name of the type that is declared for it. */
type Names = Map<string, string>;

/** What makes two schemas the same type: everything but the texts about it. */
function form(schema: JsonSchema): string {
  const { $schema: _s, description: _d, default: _v, ...rest } = schema;
  return JSON.stringify(rest);
}

function typeText(schema: JsonSchema, named: Names, indent: string): string {
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
    case "integer":
      return "number";
    default:
      return schema.type ?? "unknown";
  }
}

const listText = (item: string) => `readonly ${item.includes(" | ") ? `(${item})` : item}[]`;

function mapText({ additionalProperties }: JsonSchema, named: Names, indent: string): string {
  return `Readonly<Record<string, ${typeText(additionalProperties || {}, named, indent)}>>`;
}

function objectText({ properties = {}, required = [] }: JsonSchema, named: Names, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([key, of]) => {
    const optional = required.includes(key) ? "" : "?";
    const type = typeText(of, named, inner);
    return `${comment(of, inner)}${inner}readonly ${key}${optional}: ${type}${optional && " | undefined"};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function comment({ description, default: value }: JsonSchema, indent: string): string {
  const shown =
    value === undefined || JSON.stringify(value) === "{}" ? "" : ` Default: ${JSON.stringify(value)}.`;
  return description === undefined ? "" : `${indent}/** ${description}${shown} */\n`;
}
