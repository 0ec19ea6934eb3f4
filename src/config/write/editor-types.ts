import { z } from "zod";
import { secretInput } from "../../model/input-parts.ts";
import { whenInput } from "../../model/machine-input.ts";
import { defaultsInput, rootInput, rootOnInput, serverInput } from "../../model/server.ts";
import { onInput } from "../../model/server-fields.ts";
import type { JsonSchema } from "./json-schema.ts";
import { form, type Names, typeText } from "./type-text.ts";

/**
 * The types of `import … from "xyctl"` for editors: as the declaration file of the package, or, as `xy init` writes
 * them, for a module that is not installed.
 */
export function editorTypes(kind: "package" | "ambient"): string {
  const types = [...inputTypes(), FUNCTIONS].join("\n");
  if (kind === "package") return `${types.replace(/^ {2}/gm, "")}`;
  return `${AMBIENT_HEAD}declare module "xyctl" {\n${types}}\n`;
}

const AMBIENT_HEAD = `// biome-ignore-all lint: it is generated
// biome-ignore-all format: it is generated
/* eslint-disable */

// prettier-ignore
`;

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
  named.set(form(schema(onInput)), "ServerOn");
  const server = declare("Server", "One server.", serverInput);
  named.set(form(schema(defaultsInput)), "Defaults");
  named.set(form(schema(rootOnInput)), "RootOn");
  const root = declare("Root", "A project: its servers, and what they have in common.", rootInput);
  return [when, secret, server, OF_SERVER, root, OF_ROOT];
}

const OF_SERVER = `  /** Settings of a server for the machines that its \`when\` names. */
  export type ServerOn = { readonly when: When } & Partial<Omit<Server, "on" | "when">>;

  /** Settings for every server. */
  export type Defaults = Partial<Omit<Server, "on">>;
`;

const OF_ROOT = `  /** Settings of a project for the machines that its \`when\` names. */
  export type RootOn = { readonly when: When } & Pick<
    Root,
    "backend" | "defaults" | "path" | "systemd" | "supervisord" | "clients"
  >;
`;

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
