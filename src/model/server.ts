import { z } from "zod";
import { actionInput } from "./action-input.ts";
import { BACKENDS } from "./backends.ts";
import {
  duration,
  envInput,
  oneOf,
  oneOrMore,
  port,
  secretInput,
  serverName,
  size,
  text,
  textList,
  umaskInput,
  whole,
} from "./input-parts.ts";
import { livenessInput, readinessInput } from "./probe-input.ts";
import { CLASSES, CONDITIONS, RESTART_POLICIES, STOP_SIGNALS, WANTED } from "./spec.ts";

/**
 * What a person may write, in camelCase. Every `error` text here is the way out: it completes
 * "cannot use … for …: ". Every description is the reference documentation of its field.
 */

/** On which machines something holds: every key that is given must match. */
export const whenInput = z.strictObject(
  {
    os: z
      .union([z.enum(["linux", "macos"]), z.array(z.enum(["linux", "macos"])).min(1)], {
        error: 'write "linux", "macos" or a list of them',
      })
      .optional()
      .describe("Operating system."),
    arch: oneOrMore.optional().describe("Processor architecture as Node names it, such as `x64` or `arm64`."),
    host: oneOrMore.optional().describe("Short host name, without the domain."),
    user: oneOrMore.optional().describe("Login name."),
  },
  { error: "write a block with os, arch, host or user" },
);

const URL_CHOICES = 'write a URL such as "http://localhost:9001/RPC2" or "unix:///run/supervisor.sock"';

const dependencyInput = z.union(
  [
    serverName,
    z.strictObject({
      server: serverName.describe("Name of the other server."),
      condition: oneOf(CONDITIONS)
        .default("ready")
        .describe(
          "What is waited for: that it is `ready`, that it has `started`, or that it has `completed` well.",
        ),
    }),
  ],
  { error: "write the name of a server, or a block with server and condition" },
);

const restartInput = z.strictObject(
  {
    policy: oneOf(RESTART_POLICIES)
      .default("on-failure")
      .describe(
        "When a process that ended is started again. A signal, and any code that is not a success, is a failure.",
      ),
    backoffInitial: duration
      .default("1s")
      .describe("Wait before the first restart; doubled for each one after it."),
    backoffMax: duration.default("30s").describe("Longest wait before a restart."),
    maxRetriesPerMinute: whole(0, 1000)
      .default(5)
      .describe(
        "With this many restarts in the last 60 seconds the next one is not made: the server has failed.",
      ),
    resetAfter: duration
      .default("10s")
      .describe("A process that stays up this long starts over with the first wait."),
    successExitCodes: z
      .array(whole(0, 255), { error: "write a list of exit codes" })
      .default([0])
      .describe("Exit codes that are not a failure."),
  },
  { error: "write a block of restart settings" },
);

const stopInput = z.strictObject(
  {
    grace: duration.default("10s").describe("Time until what is left of the process group is killed."),
    signal: oneOf(STOP_SIGNALS).default("SIGTERM").describe("Signal that asks the process group to end."),
  },
  { error: "write a block with grace and signal" },
);

const logsInput = z.strictObject(
  {
    maxSize: size.default("10MiB").describe("Size at which a log file is rotated."),
    keep: whole(0, 1000).default(5).describe("Number of rotated files that are kept."),
  },
  { error: "write a block with the size and the number of log files" },
);

const actionsInput = z.record(serverName, actionInput, { error: "write a map of actions" });

export const PORT_CHOICES = 'write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"';

/** One server. Defaults are filled in by parsing; what depends on the machine is filled in later. */
export const serverInput = z.strictObject(
  {
    command: text("write the program to run").describe(
      "The program, not a shell line. A bare name is looked for in the folders of the service PATH; with a slash it is a path, relative to the file that says so.",
    ),
    args: textList
      .default([])
      .describe(
        "Arguments. `{port}`, `{name}`, `{project}`, `{home}` and `{env.NAME}` are filled in; `{{port}}` gives `{port}`; every other brace stays.",
      ),
    port: z
      .union([port, z.enum(["auto", "none"])], { error: PORT_CHOICES })
      .describe(
        "Port it listens on. `auto`: derived from project and name, moved on when taken, then kept. `none`: no port.",
      ),
    portFlag: text("write the flag in quotes")
      .optional()
      .describe("Flag that is appended to the arguments together with the port, such as `--port`."),
    host: z
      .string({ error: "write a host name or address" })
      .regex(/^[A-Za-z0-9._:-]+$/, { error: "write a host name or address" })
      .default("127.0.0.1")
      .describe("Where the port is expected to listen."),
    mcp: z
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
    env: envInput
      .default({})
      .describe(
        "Environment, on top of the one every server gets. A value is a text, or a reference to a secret.",
      ),
    envFile: z
      .union([text(), z.array(text())], { error: "write a path or a list of paths" })
      .default([])
      .describe(
        "Files in dotenv syntax; their values are secret. A later file wins over an earlier one, `env` over all.",
      ),
    workingDir: text("write a path")
      .default("~")
      .describe("Folder it runs in. A relative path starts at the file that says so."),
    umask: umaskInput.default("022").describe("Permissions taken from new files, in octal."),
    restart: restartInput.prefault({}).describe("What happens when the process ends by itself."),
    stop: stopInput.prefault({}).describe("How the process group is stopped."),
    readiness: readinessInput
      .optional()
      .describe(
        "When it counts as ready, for `apply` and for servers that depend on it. `tcp` when it has a port, else `none`.",
      ),
    liveness: livenessInput
      .optional()
      .describe("When it counts as healthy; a failure restarts it. `tcp` when it has a port, else `none`."),
    dependsOn: z
      .array(dependencyInput, { error: "write a list of servers" })
      .default([])
      .describe("Servers that come before it."),
    logs: logsInput.prefault({}).describe("Log files."),
    actions: actionsInput.default({}).describe("Actions of this server by name: `xy run server:action`."),
    wanted: oneOf(WANTED)
      .default("start")
      .describe(
        "Whether it should run, unless the operator said otherwise. `ignore`: declared, never touched.",
      ),
    limits: z
      .strictObject(
        {
          openFiles: whole(16, 1_048_576)
            .optional()
            .describe("Open files of a process: 1024 on Linux, 256 on macOS."),
        },
        { error: "write a block with the limits" },
      )
      .prefault({})
      .describe("Resource limits."),
    description: z.string({ error: "write text in quotes" }).default("").describe("One line for people."),
    tags: z.array(text(), { error: "write a list of texts" }).default([]).describe("Words to find it by."),
    when: whenInput
      .optional()
      .describe("Machines on which it is declared at all; every key that is given must match."),
    backend: oneOf(BACKENDS).optional().describe("What runs it; the root's `backend` when left out."),
    class: oneOf(CLASSES)
      .optional()
      .describe(
        "`system`: under the machine's systemd or launchd instead of the account's, from boot on. It takes root to apply, and runs as the account that applies.",
      ),
  },
  { error: "write a block that describes a server" },
);

const supervisordInput = z.strictObject(
  {
    url: z
      .string({ error: URL_CHOICES })
      .regex(/^(https?:\/\/[^/@\s]+|unix:\/\/\/[^\s])/, { error: URL_CHOICES })
      .default("http://localhost:9001/RPC2")
      .describe("Where it answers: `http://host:port/RPC2`, or `unix:///path` of its socket."),
    user: text().optional().describe("Name that its HTTP server asks for."),
    password: z
      .union([text(), secretInput], { error: "write a text, or a reference to a secret" })
      .optional()
      .describe("Password that its HTTP server asks for: a text, or a reference to a secret."),
    includeDir: text()
      .optional()
      .describe(
        "Folder that its `[include]` section names, as in `files = DIR/*.conf`: a file for each server is written there.",
      ),
  },
  { error: "write a block with url and include-dir" },
);

/** A configuration root, apart from its `servers.d` folder. */
export const rootInput = z.strictObject(
  {
    project: serverName
      .optional()
      .describe("Name of the project; made from the root folder's name when left out."),
    backend: oneOf(BACKENDS).default("agent").describe("What runs the servers."),
    defaults: serverInput
      .partial()
      .prefault({})
      .describe("Settings for every server. Blocks and `env` are merged key by key, lists are replaced."),
    path: z
      .array(text(), { error: "write a list of folders" })
      .default([])
      .describe("Folders in which programs are found, before those every server gets."),
    servers: z
      .record(serverName, serverInput, { error: "write a map of servers" })
      .default({})
      .describe("Servers by name."),
    actions: actionsInput.default({}).describe("Actions that belong to no server, by name: `xy run action`."),
    systemd: z
      .strictObject(
        {
          scope: oneOf(CLASSES)
            .default("user")
            .describe("The `class` of servers under systemd that say none."),
        },
        { error: "write a block with scope" },
      )
      .optional()
      .describe("How systemd is used."),
    supervisord: supervisordInput.optional().describe("The supervisord that runs servers."),
    when: whenInput.optional().describe("Machines on which this root declares anything."),
  },
  { error: "write a block that describes the project" },
);

export type RootInput = z.input<typeof rootInput>;
export type FilledRoot = z.output<typeof rootInput>;
export type WhenInput = z.input<typeof whenInput>;
/** A server with every default that does not depend on the machine. */
export type FilledServer = z.output<typeof serverInput>;
