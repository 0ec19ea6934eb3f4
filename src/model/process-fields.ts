import { z } from "zod";
import { block, keptObject } from "./field.ts";
import { envInput, pathText, port, text, textList, umaskInput, whole } from "./input-parts.ts";
import { everywhere, field, found, used } from "./server-row.ts";
import { type EnvValue, envValue, name } from "./spec-parts.ts";

/** The settings of the process that a server is, and its identity: program, arguments, port, environment, folder, limits. */

/** By default a server gets the limit of an account. */
export const OPEN_FILES = { linux: 1024, macos: 256, other: 1024 };
const limits = block(
  {
    openFiles: field({
      written: whole(16, 1_048_576)
        .optional()
        .describe("Open files of a process: 1024 on Linux, 256 on macOS."),
      kept: z.int(),
      becomes: (written, { os }) => written ?? OPEN_FILES[os],
      absent: OPEN_FILES.linux,
      isUsual: (value) => Object.values(OPEN_FILES).includes(value),
    }),
  },
  {
    error: "write a block with the limits",
    describe: "Resource limits.",
    start: { agent: (value) => [value], systemd: (value) => [value], launchd: (value) => [value] },
  },
);

const PREFER = '"prefer" goes with "auto" alone, such as port "auto" prefer=8765';
const autoPort = z.strictObject(
  {
    auto: z.literal(true, { error: PREFER }).describe("One is chosen and kept, as by `port: auto`."),
    prefer: port
      .optional()
      .describe("The port to choose, or the next one above it that is free. Without it, one is derived."),
  },
  { error: PREFER },
);
export const PORT_CHOICES = 'write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"';

const mcpKept = keptObject({ path: { kept: z.string() } }).nullable();

export const PROCESS_FIELDS = {
  name: found({ kept: name, becomes: (_, facts) => facts.name }),
  project: found({ kept: name, becomes: (_, facts) => facts.project }),
  command: field({
    written: pathText("program", "write the program to run").describe(
      "The program, not a shell line. A bare name is looked for in the folders of the service PATH; with a slash it is a path, relative to the file that says so.",
    ),
    // As declared.
    kept: z.string(),
    becomes: (written) => written,
  }),
  // The absolute path that `command` was found at; equals `command` when nothing was found.
  program: found({ kept: z.string(), becomes: (_, facts) => facts.program, start: everywhere() }),
  args: field({
    written: textList
      .default([])
      .describe(
        "Arguments. `{port}`, `{name}`, `{project}`, `{home}` and `{env.NAME}` are filled in; `{{port}}` gives `{port}`; every other brace stays.",
      ),
    kept: z.array(z.string()),
    becomes: (_, facts) => [...facts.args],
    start: everywhere(),
  }),
  port: field({
    written: z
      .union([port, z.enum(["auto", "none"]), autoPort], { error: PORT_CHOICES })
      .describe(
        "Port it listens on. `auto`: derived from project and name (or the one that it is to `prefer`), moved on when taken, then kept. `none`: no port.",
      ),
    kept: z.int().min(1).max(65535).nullable(),
    becomes: (_, facts) => facts.port,
    start: everywhere(),
  }),
  portFlag: used(
    text("write the flag in quotes")
      .optional()
      .describe("Flag that is appended to the arguments together with the port, such as `--port`."),
  ),
  host: field({
    written: z
      .string({ error: "write a host name or address" })
      .regex(/^[A-Za-z0-9._:-]+$/, { error: "write a host name or address" })
      .default("127.0.0.1")
      .describe("Where the port is expected to listen."),
    kept: z.string(),
    becomes: (written) => written,
    absent: "127.0.0.1",
    start: everywhere(),
  }),
  mcp: field({
    written: z
      .union(
        [
          z.literal(true),
          z.strictObject({
            path: z
              .string({ error: 'write a path such as "/mcp"' })
              .startsWith("/", { error: 'write a path that begins with "/", such as "/mcp"' })
              .default("/mcp")
              .describe("Path of the endpoint."),
          }),
        ],
        { error: "write true, or a block with the path" },
      )
      .optional()
      .describe("Marks an HTTP MCP server: its URL is `http://host:port/path`."),
    kept: mcpKept,
    becomes: (_, facts) => facts.mcp,
    absent: null,
  }),
  env: field({
    written: envInput
      .default({})
      .describe(
        "Environment, on top of the one every server gets. A value is a text, or a reference to a secret.",
      ),
    // The whole environment that the process receives, nothing is added to it.
    kept: z.record(z.string(), envValue),
    becomes: (_, facts) => facts.env,
    start: everywhere(startEnv),
  }),
  envFile: used(
    z
      .union([pathText("file"), z.array(pathText("file"))], { error: "write a path or a list of paths" })
      .default([])
      .describe(
        "Files in dotenv syntax; their values are secret. A later file wins over an earlier one, `env` over all.",
      ),
  ),
  workingDir: field({
    written: pathText("file", "write a path")
      .default("~")
      .describe("Folder it runs in. A relative path starts at the file that says so."),
    kept: z.string(),
    becomes: (_, facts) => facts.workingDir,
    start: everywhere(),
  }),
  umask: field({
    written: umaskInput.default("022").describe("Permissions taken from new files, in octal."),
    kept: z.int(),
    becomes: (written) => Number.parseInt(written, 8),
    absent: 0o022,
    start: everywhere(),
    shown: (value: number) => value.toString(8).padStart(3, "0"),
  }),
  limits,
};

/** A secret counts by its keyed hash, so that the same value found at another place is the same. */
function startEnv(env: Readonly<Record<string, EnvValue>>): unknown {
  // A reference without a keyed hash was never resolved: only the reference itself can be compared.
  const given = (value: EnvValue) =>
    typeof value !== "string" && value.hmac !== "" ? { hmac: value.hmac } : value;
  return Object.fromEntries(Object.entries(env).map(([variable, value]) => [variable, given(value)]));
}
