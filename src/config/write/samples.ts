import { jsonText } from "./json-text.ts";

/** Servers that `xy init --with` writes: MCP servers from npm, which npx fetches when they are started. */

interface Sample {
  readonly description: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: "auto";
  readonly mcp: true | { readonly transport: "stdio"; readonly share: "all" };
  readonly env: Readonly<Record<string, string>>;
}

const SAMPLES = {
  everything: {
    description: "MCP reference server with one of everything",
    command: "npx",
    args: ["-y", "@modelcontextprotocol/server-everything", "streamableHttp"],
    port: "auto",
    mcp: true,
    env: { PORT: "{port}" },
  },
  // It speaks over its stdin and stdout: xy serves it over HTTP.
  memory: {
    description: "MCP reference server: a knowledge graph in a file",
    command: "npx",
    args: ["-y", "@modelcontextprotocol/server-memory"],
    port: "auto",
    mcp: { transport: "stdio", share: "all" },
    env: { MEMORY_FILE_PATH: "{home}/.xy-memory.jsonl" },
  },
} as const satisfies Readonly<Record<string, Sample>>;

export type SampleName = keyof typeof SAMPLES;
export const SAMPLE_NAMES = Object.keys(SAMPLES) as SampleName[];

/** The text of a file in `servers.d`. `schema`: where an editor finds the schema, for formats that can name it. */
export function sampleText(name: SampleName, format: "kdl" | "yaml" | "json", schema: string): string {
  const sample: Sample = SAMPLES[name];
  switch (format) {
    case "kdl":
      return kdl(sample);
    case "yaml":
      return `# yaml-language-server: $schema=${schema}\n${yaml(sample)}`;
    case "json":
      return jsonText({ $schema: schema, ...sample });
  }
}

const settings = (block: object, line: (key: string, value: string) => string) =>
  Object.entries(block).map(([key, value]) => line(key, value));
const quoted = (text: string) => JSON.stringify(text);

function kdl({ description, command, args, port, mcp, env }: Sample): string {
  const variables = Object.entries(env).map(([name, value]) => `  ${name} ${quoted(value)}`);
  return [
    `description ${quoted(description)}`,
    `command ${quoted(command)}`,
    `args ${args.map(quoted).join(" ")}`,
    `port ${quoted(port)}`,
    mcp === true ? "mcp" : `mcp { ${settings(mcp, (key, value) => `${key} ${quoted(value)};`).join(" ")} }`,
    `env {\n${variables.join("\n")}\n}`,
    "",
  ].join("\n");
}

function yaml({ description, command, args, port, mcp, env }: Sample): string {
  const variables = Object.entries(env).map(([name, value]) => `  ${name}: ${quoted(value)}`);
  return [
    `description: ${quoted(description)}`,
    `command: ${command}`,
    `args:\n${args.map((word) => `  - ${quoted(word)}`).join("\n")}`,
    `port: ${port}`,
    mcp === true ? "mcp: true" : `mcp:\n${settings(mcp, (key, value) => `  ${key}: ${value}`).join("\n")}`,
    `env:\n${variables.join("\n")}`,
    "",
  ].join("\n");
}
