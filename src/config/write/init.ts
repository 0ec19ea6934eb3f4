import { DEFAULT_PROJECT } from "../../model/name.ts";
import { type EditorText, marked } from "./editor-mark.ts";
import { editorDigest, editorText } from "./editor-texts.ts";
import { jsonText } from "./json-text.ts";
import { type SampleName, sampleText } from "./samples.ts";

export const INIT_FORMATS = ["typescript", "kdl", "yaml", "json"] as const;
export type InitFormat = (typeof INIT_FORMATS)[number];

/** A file to write, with its path relative to the configuration root. */
export interface InitFile {
  readonly path: string;
  readonly text: string;
}

export interface InitChoice {
  /** Of the xy that writes; the files for editors say it. */
  readonly version: string;
  /** The folder or address that has the schemas; absent: they are written too. */
  readonly schemas?: string | undefined;
  readonly project?: string | undefined;
  /** Servers in the place of the example. */
  readonly samples?: readonly SampleName[] | undefined;
}

/** The files of a starter configuration: an example that runs wherever Node is, or samples, and what an editor needs. */
export function initFiles(
  format: InitFormat,
  { version, schemas, project = DEFAULT_PROJECT, samples = [] }: InitChoice,
): readonly InitFile[] {
  const written = (what: EditorText) => writtenText(what, version);
  const files = starterFiles(format, { schemas, project, isBare: samples.length > 0, written });
  // What TypeScript cannot say in a file of its own is said in YAML, for which there is a schema.
  const data = format === "typescript" ? "yaml" : format;
  const style = data === "json" ? "camel" : "kebab";
  const schema = schemas === undefined ? `../${SCHEMAS.server.kebab}` : `${schemas}/${SCHEMAS.server[style]}`;
  const servers = samples.map((name) => ({
    path: `servers.d/${name}.${data}`,
    text: sampleText(name, data, schema),
  }));
  const [main, ...others] = files;
  return [...(main ? [main] : []), ...servers, ...others];
}

/** The text of a file for editors, as this version writes it. */
export function writtenText(what: EditorText, version: string): string {
  const text = editorText(what);
  return marked(text, { version, what, digest: editorDigest(text) });
}

interface Starting {
  readonly schemas: string | undefined;
  readonly project: string;
  /** Without the example. */
  readonly isBare: boolean;
  readonly written: (what: EditorText) => string;
}

function starterFiles(
  format: InitFormat,
  { schemas, project, isBare, written }: Starting,
): readonly InitFile[] {
  const server = (style: "yaml" | "json"): InitFile[] =>
    schemas === undefined ? [{ path: SCHEMAS.server.kebab, text: written(`server ${style}`) }] : [];
  const both = (style: "yaml" | "json"): InitFile[] =>
    schemas === undefined
      ? [{ path: SCHEMAS.root.kebab, text: written(`root ${style}`) }, ...server(style)]
      : [];
  const hello = (file: InitFile) => (isBare ? [] : [file]);
  const named = (of: keyof typeof SCHEMAS, style: Style, up: string) =>
    schemas === undefined ? `${up}${SCHEMAS[of].kebab}` : `${schemas}/${SCHEMAS[of][style]}`;
  switch (format) {
    case "typescript":
      return [
        { path: "xy.config.ts", text: typescript(project, isBare) },
        { path: "xyctl.d.ts", text: written("types") },
        // For YAML files that may be in servers.d beside it.
        ...server("yaml"),
      ];
    case "kdl":
      return [
        { path: "xy.config.kdl", text: kdlRoot(project) },
        ...hello({ path: "servers.d/hello.kdl", text: KDL_SERVER }),
      ];
    case "yaml":
      return [
        { path: "xy.config.yaml", text: yamlRoot(named("root", "kebab", "./"), project) },
        ...hello({ path: "servers.d/hello.yaml", text: yamlServer(named("server", "kebab", "../")) }),
        ...both("yaml"),
      ];
    case "json":
      return [
        {
          path: "xy.config.json",
          text: jsonText({
            $schema: named("root", "camel", "./"),
            project,
            defaults: { restart: { policy: "on-failure" } },
          }),
        },
        ...hello({
          path: "servers.d/hello.json",
          text: jsonText({ $schema: named("server", "camel", "../"), ...HELLO }),
        }),
        ...both("json"),
      ];
  }
}

type Style = "kebab" | "camel";

/**
 * Names of the schemas in the package: keys of YAML are in kebab case, those of JSON in camel case. Beside a configuration
 * there is one of each, which has the first name; not in servers.d, where every JSON file is a server.
 */
export const SCHEMAS = {
  root: { kebab: "xy.schema.json", camel: "xy.camel.schema.json" },
  server: { kebab: "xy.server.schema.json", camel: "xy.server.camel.schema.json" },
} as const;

const PROGRAM =
  "require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT, '127.0.0.1')";
const HELLO = {
  description: "Says hello",
  command: "node",
  args: ["-e", PROGRAM],
  port: "auto",
  env: { PORT: "{port}" },
};

// A name is in it so that it is the same project from every folder, also from a clone.
const typescript = (project: string, isBare: boolean) => `/// <reference path="./xyctl.d.ts" />
import { defineConfig } from "xyctl";

${isBare ? '// Each server is a file in servers.d, or an entry here under "servers".\n' : ""}export default defineConfig({
  project: "${project}",
${isBare ? "" : TYPESCRIPT_SERVERS}});
`;

const TYPESCRIPT_SERVERS = `  servers: {
    hello: {
      description: "${HELLO.description}",
      command: "${HELLO.command}",
      args: [
        "-e",
        "${PROGRAM}",
      ],
      port: "auto",
      env: { PORT: "{port}" },
    },
  },
`;

const kdlRoot = (project: string) => `project "${project}"

// What all servers have in common. Each server is a file in servers.d, or a node here: server "name" { … }
defaults {
  restart policy="on-failure"
}
`;

const KDL_SERVER = `description "${HELLO.description}"
command "${HELLO.command}"
args "-e" "${PROGRAM}"
port "auto"
env {
  PORT "{port}"
}
`;

const yamlRoot = (schema: string, project: string) => `# yaml-language-server: $schema=${schema}
project: "${project}"
# What all servers have in common. Each server is a file in servers.d, or an entry here under "servers".
defaults:
  restart:
    policy: on-failure
`;

const yamlServer = (schema: string) => `# yaml-language-server: $schema=${schema}
description: ${HELLO.description}
command: ${HELLO.command}
args:
  - "-e"
  - "${PROGRAM}"
port: auto
env:
  PORT: "{port}"
`;
