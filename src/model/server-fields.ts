import { z } from "zod";
import { actionInput } from "./action-input.ts";
import { BACKENDS } from "./backends.ts";
import { type AnyRow, block, keptObject, type Rows, type Start, type Traits, writtenShape } from "./field.ts";
import {
  duration,
  envInput,
  oneOf,
  oneOrMore,
  oneOrMoreOf,
  pathText,
  port,
  serverName,
  size,
  text,
  textList,
  umaskInput,
  whole,
} from "./input-parts.ts";
import type { Machine } from "./machine.ts";
import {
  hostAdvice,
  isHostWord,
  isProcessor,
  processorAdvice,
  SYSTEMS,
  systemAdvice,
} from "./machine-words.ts";
import { own } from "./own.ts";
import { livenessInput, type Owner, readinessInput } from "./probe-input.ts";
import { isUsualOfProbe, type ProbeCommand, probeOf, shownOfProbe, usualProbe } from "./probe-of.ts";
import {
  CLASSES,
  CONDITIONS,
  type EnvValue,
  envValue,
  name,
  probe,
  RESTART_POLICIES,
  STOP_SIGNALS,
  WANTED,
} from "./spec-parts.ts";
import { formatDuration, formatSize, milliseconds, parseSize, wholeSeconds } from "./units.ts";

/**
 * Every setting of a server, a row each: what may be written, what it becomes, what it is in a record without it, who
 * needs a new process when it changes, and how it is shown. Everything else about settings is derived from this table.
 *
 * Of what may be written, every `error` is the way out: it completes "cannot use … for …: ". Every description is the
 * reference documentation of its field.
 */

/** What was found out about a server on this machine. */
export interface Facts {
  readonly name: string;
  readonly project: string;
  readonly os: Machine["os"];
  readonly class: (typeof CLASSES)[number];
  readonly program: string;
  /** With every template filled in, and the port behind its flag. */
  readonly args: readonly string[];
  readonly port: number | null;
  /** Where it listens. */
  readonly host?: string;
  readonly mcp: { readonly path: string } | null;
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly workingDir: string;
  /** Of the probes that run a program: where it was found, and its arguments with every template filled in. */
  readonly probes: { readonly [Name in "readiness" | "liveness"]?: ProbeCommand };
  /** Whose listener counts for a probe that does not say it. */
  readonly owner?: Owner;
}

interface Row<W extends z.ZodType, K extends z.ZodType> extends Traits<z.output<K>> {
  readonly written: W;
  readonly kept: K;
  readonly becomes: (written: z.output<W>, facts: Facts) => z.output<K>;
}

const field = <W extends z.ZodType, K extends z.ZodType>(row: Row<W, K>) => row;
/** A row that follows from the machine and from other rows: nobody writes it. */
const found = <K extends z.ZodType>(row: Omit<Row<z.ZodUndefined, K>, "written">) => row;
/** A row that is used up on the way to the spec. */
const used = <W extends z.ZodType>(written: W) => ({ written });

/** Every process gets it at its start, whatever runs it. */
const everywhere = <Value>(part: (value: Value) => unknown = (value) => value): Start<Value> =>
  Object.fromEntries(BACKENDS.map((backend) => [backend, (value: Value) => [part(value)]]));

const length = (written: z.ZodDefault<typeof duration>) =>
  field({
    written,
    kept: z.number(),
    becomes: milliseconds,
    shown: formatDuration,
    absent: milliseconds(written.parse(undefined)),
  });
const restart = block(
  {
    policy: field({
      written: oneOf(RESTART_POLICIES)
        .default("on-failure")
        .describe(
          "When a process that ended is started again. A signal, and any code that is not a success, is a failure.",
        ),
      kept: z.enum(RESTART_POLICIES),
      becomes: (written) => written,
      absent: "on-failure",
    }),
    backoffInitial: length(
      duration.default("1s").describe("Wait before the first restart; doubled for each one after it."),
    ),
    backoffMax: length(duration.default("30s").describe("Longest wait before a restart.")),
    maxRetriesPerMinute: field({
      written: whole(0, 1000)
        .default(5)
        .describe(
          "With this many restarts in the last 60 seconds the next one is not made: the server has failed. So it has after ten restarts for failure in a row (or this many, where that is more) without a minute of being ready.",
        ),
      kept: z.int(),
      becomes: (written) => written,
      absent: 5,
    }),
    resetAfter: length(
      duration
        .default("10s")
        .describe("A process that was ready for this long starts over with the first wait."),
    ),
    successExitCodes: field({
      written: z
        .array(whole(0, 255), { error: "write a list of exit codes" })
        .default([0])
        .describe("Exit codes that are not a failure."),
      kept: z.array(z.int()),
      becomes: (written) => written,
      absent: [0],
    }),
  },
  {
    error: "write a block of restart settings",
    describe: "What happens when the process ends by itself.",
    start: {
      launchd: ({ policy, backoffInitial }) => [
        policy,
        policy === "never" ? null : wholeSeconds(backoffInitial, 1),
      ],
      supervisord: ({ policy, maxRetriesPerMinute, successExitCodes }) => [
        policy,
        policy === "never" ? null : maxRetriesPerMinute,
        successExitCodes,
      ],
    },
  },
);

const STOPPED = ["own", "all"] as const;

const stop = block(
  {
    grace: length(
      duration.default("10s").describe("Time until those of its processes that are left are killed."),
    ),
    signal: field({
      written: oneOf(STOP_SIGNALS).default("SIGTERM").describe("Signal that asks its processes to end."),
      kept: z.enum(STOP_SIGNALS),
      becomes: (written) => written,
      absent: "SIGTERM",
    }),
    descendants: field({
      written: oneOf(STOPPED)
        .default("own")
        .describe(
          "Which processes are stopped: `own`, or `all`, with daemons that left the server and hold no port of it.",
        ),
      kept: z.enum(STOPPED),
      becomes: (written) => written,
      absent: "own",
    }),
  },
  {
    error: "write a block with descendants, grace and signal",
    describe: "How the server's processes are stopped.",
    start: {
      launchd: ({ grace }) => [wholeSeconds(grace, 1)],
      supervisord: ({ grace, signal }) => [signal, wholeSeconds(grace)],
    },
  },
);

const logs = block(
  {
    maxSize: field({
      written: size.default("10MiB").describe("Size at which a log file is rotated."),
      kept: z.int(),
      becomes: (written) => parseSize(written) ?? 0,
      shown: formatSize,
      absent: 10 << 20,
    }),
    keep: field({
      written: whole(0, 1000).default(5).describe("Number of rotated files that are kept."),
      kept: z.int(),
      becomes: (written) => written,
      absent: 5,
    }),
  },
  {
    error: "write a block with the size and the number of log files",
    describe: "Log files.",
    start: { supervisord: (value) => [value] },
  },
);

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

const systemError = ({ input }: { readonly input?: unknown }) => systemAdvice(input);
const system = z.enum(SYSTEMS, { error: systemError });
const machineWord = (isRight: (word: string) => boolean, advice: (word: string) => string) =>
  text().refine((word) => word === "" || isRight(word), { error: ({ input }) => advice(String(input)) });

/** On which machines something holds: every key that is given must match. */
export const whenInput = z.strictObject(
  {
    os: z
      .union([system, z.array(system).min(1, { error: systemError })], { error: systemError })
      .optional()
      .describe("Operating system."),
    arch: oneOrMoreOf(machineWord(isProcessor, processorAdvice))
      .optional()
      .describe("Processor architecture as Node names it, such as `x64` or `arm64`."),
    host: oneOrMoreOf(machineWord(isHostWord, hostAdvice))
      .optional()
      .describe("Short host name in lower case, without the domain."),
    user: oneOrMore.optional().describe("Login name."),
  },
  { error: "write a block with os, arch, host or user" },
);

const whenOfBlock = whenInput.refine((when) => Object.values(when).some((value) => value !== undefined), {
  error: "name at least one of os, arch, host and user",
});

/** The machines of an `on` block, which has to say them. */
export const onWhen = whenOfBlock.describe(
  "Machines on which this block holds; every key that is given must match.",
);

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

export const actionsInput = z.record(serverName, actionInput, { error: "write a map of actions" });
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

const probed = <W extends z.ZodOptional<typeof readinessInput | typeof livenessInput>>(
  which: "readiness" | "liveness",
  written: W,
) =>
  field({
    written,
    kept: probe,
    becomes: (said, facts) => probeOf(said, usualProbe(which, facts), facts, facts.probes[which]),
    absent: { type: "none" },
    isUsual: isUsualOfProbe(which),
    shown: shownOfProbe,
  });

const EVERYWHERE_FIELDS = {
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
  backend: field({
    written: oneOf(BACKENDS).optional().describe("What runs it; the root's `backend` when left out."),
    kept: z.enum(BACKENDS),
    becomes: (written) => written ?? "agent",
  }),
  class: field({
    written: oneOf(CLASSES)
      .optional()
      .describe(
        "`system`: under the machine's systemd or launchd instead of the account's, from boot on. It takes root to apply, and runs as the account that applies.",
      ),
    kept: z.literal("system").optional(),
    becomes: (_, facts) => (facts.class === "system" ? "system" : undefined),
    start: {
      systemd: (value) => [value ?? null],
      launchd: (value) => [value ?? null],
    },
  }),
  startTimeout: field({
    written: duration
      .refine((value) => milliseconds(value) > 0, { error: 'write a duration of more than 0, such as "5m"' })
      .optional()
      .describe(
        "Longest time from the start of its process until it is ready, 5m when left out. A process that is not ready by then is stopped, and its start has failed.",
      ),
    // Absent: whoever looks at it takes `startTimeoutOf`, and can tell that nobody has asked for it.
    kept: z.number().optional(),
    becomes: (written) => (written === undefined ? undefined : milliseconds(written)),
    shown: formatDuration,
  }),
  restart,
  stop,
  readiness: probed(
    "readiness",
    readinessInput
      .optional()
      .describe(
        "When it counts as ready, for `apply` and for servers that depend on it. `tcp` when it has a port, else `none`.",
      ),
  ),
  liveness: probed(
    "liveness",
    livenessInput
      .optional()
      .describe("When it counts as healthy; a failure restarts it. `tcp` when it has a port, else `none`."),
  ),
  dependsOn: field({
    written: z
      .array(dependencyInput, { error: "write a list of servers" })
      .default([])
      .describe("Servers that come before it."),
    kept: z.array(z.looseObject({ server: name, condition: z.enum(CONDITIONS) })),
    becomes: (written) =>
      written.map((other) =>
        typeof other === "string" ? { server: other, condition: "ready" as const } : other,
      ),
    absent: [],
  }),
  logs,
  actions: used(actionsInput.default({}).describe("Actions of this server by name: `xy run server:action`.")),
  wanted: field({
    written: oneOf(WANTED)
      .default("start")
      .describe(
        "Whether it should run, unless the operator said otherwise. `ignore`: declared, never touched.",
      ),
    kept: z.enum(WANTED),
    becomes: (written) => written,
    absent: "start",
  }),
  description: field({
    written: z.string({ error: "write text in quotes" }).default("").describe("One line for people."),
    kept: z.string(),
    becomes: (written) => written,
    absent: "",
  }),
  tags: field({
    written: z.array(text(), { error: "write a list of texts" }).default([]).describe("Words to find it by."),
    kept: z.array(z.string()),
    becomes: (written) => written,
    absent: [],
  }),
  when: used(
    whenInput
      .optional()
      .describe("Machines on which it is declared at all; every key that is given must match."),
  ),
};

/** Settings of a server for some machines. */
export const onInput = z
  .strictObject(writtenShape(EVERYWHERE_FIELDS))
  .omit({ when: true })
  .partial()
  .extend({ when: onWhen });

export const SERVER_FIELDS = {
  ...EVERYWHERE_FIELDS,
  on: used(
    z
      .array(onInput, { error: "write a list of blocks, each with when and settings" })
      .optional()
      .describe(
        "Settings for some machines: blocks that are merged into the server, in their order, where their `when` holds.",
      ),
  ),
};

/** A secret counts by its keyed hash, so that the same value found at another place is the same. */
function startEnv(env: Readonly<Record<string, EnvValue>>): unknown {
  // A reference without a keyed hash was never resolved: only the reference itself can be compared.
  const given = (value: EnvValue) =>
    typeof value !== "string" && value.hmac !== "" ? { hmac: value.hmac } : value;
  return Object.fromEntries(Object.entries(env).map(([variable, value]) => [variable, given(value)]));
}

/** The row that a dotted name belongs to, and the rest of the name: `stop.grace`, `readiness` with `interval`. */
export function rowOf(leaf: string): { readonly row: AnyRow | undefined; readonly inner: string } {
  let rows: Rows = SERVER_FIELDS;
  const parts = leaf.split(".");
  for (let depth = 0; ; depth++) {
    const key = parts[depth] ?? "";
    const row = own(rows, key);
    if (row?.rows === undefined || depth === parts.length - 1)
      return { row, inner: parts.slice(depth + 1).join(".") };
    rows = row.rows;
  }
}
