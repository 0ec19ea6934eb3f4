import { rootInput, serverInput } from "../model/server.ts";
import { declarationText } from "./declaration.ts";
import { jsonSchemaOf } from "./json-schema.ts";

export const INIT_FORMATS = ["typescript", "kdl", "yaml", "json"] as const;
export type InitFormat = (typeof INIT_FORMATS)[number];

/** A file to write, with its path relative to the configuration root. */
export interface InitFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a starter configuration: an example that runs wherever Node is, and what an editor needs. */
export function initFiles(format: InitFormat): readonly InitFile[] {
  switch (format) {
    case "typescript":
      return [
        { path: "xy.config.ts", text: TYPESCRIPT },
        { path: "xyctl.d.ts", text: declarationText("ambient") },
        // For YAML files in servers.d, which may stand beside it.
        { path: SERVER_SCHEMA, text: json(jsonSchemaOf(serverInput, "kebab")) },
      ];
    case "kdl":
      return [
        { path: "xy.config.kdl", text: KDL_ROOT },
        { path: "servers.d/hello.kdl", text: KDL_SERVER },
      ];
    case "yaml":
      return [
        { path: "xy.config.yaml", text: YAML_ROOT },
        { path: "servers.d/hello.yaml", text: YAML_SERVER },
        ...schemas("kebab"),
      ];
    case "json":
      return [
        {
          path: "xy.config.json",
          text: json({ $schema: `./${ROOT_SCHEMA}`, defaults: { restart: { policy: "on-failure" } } }),
        },
        { path: "servers.d/hello.json", text: json({ $schema: `../${SERVER_SCHEMA}`, ...HELLO }) },
        ...schemas("camel"),
      ];
  }
}

const ROOT_SCHEMA = "xy.schema.json";
// Not in servers.d: every JSON file there is a server.
const SERVER_SCHEMA = "xy.server.schema.json";

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function schemas(style: "kebab" | "camel"): InitFile[] {
  return [
    { path: ROOT_SCHEMA, text: json(jsonSchemaOf(rootInput, style)) },
    { path: SERVER_SCHEMA, text: json(jsonSchemaOf(serverInput, style)) },
  ];
}

const PROGRAM =
  "require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT, '127.0.0.1')";
const HELLO = {
  description: "Says hello",
  command: "node",
  args: ["-e", PROGRAM],
  port: "auto",
  env: { PORT: "{port}" },
};

const TYPESCRIPT = `/// <reference path="./xyctl.d.ts" />
import { defineConfig } from "xyctl";

export default defineConfig({
  servers: {
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
});
`;

const KDL_ROOT = `// What all servers have in common. Each server is a file in servers.d, or a node here: server "name" { … }
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

const YAML_ROOT = `# yaml-language-server: $schema=./${ROOT_SCHEMA}
# What all servers have in common. Each server is a file in servers.d, or an entry here under "servers".
defaults:
  restart:
    policy: on-failure
`;

const YAML_SERVER = `# yaml-language-server: $schema=../${SERVER_SCHEMA}
description: ${HELLO.description}
command: ${HELLO.command}
args:
  - "-e"
  - "${PROGRAM}"
port: auto
env:
  PORT: "{port}"
`;
