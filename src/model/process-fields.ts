import { z } from "zod";
import { block } from "./field.ts";
import { envInput, pathText, port, text, textList, umaskInput, whole } from "./input-parts.ts";
import { isStdio, type Mcp, mcpInput, mcpKept, shownOfMcp } from "./mcp-fields.ts";
import { everywhere, field, found, inEach, used } from "./server-row.ts";
import { type EnvValue, envValue, name } from "./spec-parts.ts";

/** The settings of the process that a server is, and its identity: program, arguments, port, environment, folder, limits. */

/** By default a server gets the limit of an account. */
export const OPEN_FILES = { linux: 1024, macos: 256, other: 1024 };
const limits = block(
  {
    openFiles: field({
      written: whole(16, 1_048_576)
        .optional()
        .describe("Limit of open files per process; defaults to 1024 on Linux, 256 on macOS."),
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
    auto: z.literal(true, { error: PREFER }).describe("A port is chosen and kept, as with `port: auto`."),
    prefer: port
      .optional()
      .describe(
        "The port to choose, or else the next free one above it. Defaults to a port derived from project and name.",
      ),
  },
  { error: PREFER },
);
export const PORT_CHOICES = 'write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"';

export const PROCESS_FIELDS = {
  name: found({ kept: name, becomes: (_, facts) => facts.name }),
  project: found({ kept: name, becomes: (_, facts) => facts.project }),
  command: field({
    written: pathText("program", "write the program to run").describe(
      "The program, not a shell line. A bare name is looked up in the folders of the service PATH; with a slash it is a path, relative to the file that it is written in.",
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
        "Arguments. `{port}`, `{name}`, `{project}`, `{home}` and `{env.NAME}` are filled in; `{{port}}` gives `{port}`; any other brace is left as it is.",
      ),
    kept: z.array(z.string()),
    becomes: (_, facts) => [...facts.args],
    start: everywhere(),
  }),
  port: field({
    written: z
      .union([port, z.enum(["auto", "none"]), autoPort], { error: PORT_CHOICES })
      .describe(
        "Port it listens on. `auto`: derived from project and name (or the one in `prefer`); the next free one if that is taken; then kept. `none`: no port.",
      ),
    kept: z.int().min(1).max(65535).nullable(),
    becomes: (_, facts) => facts.port,
    start: everywhere(),
  }),
  portFlag: used(
    text("write the flag in quotes")
      .optional()
      .describe("Flag to append to the arguments, followed by the port, such as `--port`."),
  ),
  host: field({
    written: z
      .string({ error: "write a host name or address" })
      .regex(/^[A-Za-z0-9._:-]+$/, { error: "write a host name or address" })
      .default("127.0.0.1")
      .describe("Address on which the port is expected to listen."),
    kept: z.string(),
    becomes: (written) => written,
    absent: "127.0.0.1",
    start: everywhere(),
  }),
  mcp: field({
    written: mcpInput,
    kept: mcpKept,
    becomes: (_, facts) => facts.mcp,
    absent: null,
    // One that speaks HTTP itself gets nothing of this.
    start: inEach((mcp: Mcp) => (isStdio(mcp) ? [mcp] : [])),
    shown: shownOfMcp,
  }),
  env: field({
    written: envInput
      .default({})
      .describe(
        "Environment variables, added to those that every server gets. A value is text, or a reference to a secret.",
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
        "Files in dotenv syntax; their values are secret. Later files override earlier ones; `env` overrides all.",
      ),
  ),
  workingDir: field({
    written: pathText("file", "write a path")
      .default("~")
      .describe("Folder it runs in. A relative path starts at the folder of the file that it is written in."),
    kept: z.string(),
    becomes: (_, facts) => facts.workingDir,
    start: everywhere(),
  }),
  umask: field({
    written: umaskInput.default("022").describe("Permissions that new files do not get, in octal."),
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
