import { z } from "zod";
import { BACKENDS } from "./backends.ts";
import { NAME_PATTERN } from "./name.ts";

/**
 * What one server is, with every default filled in, every path absolute and every `{…}` expanded: the form that
 * is compared, stored, sent over the wire and run. Durations are milliseconds, sizes bytes.
 */

export const name = z.string().regex(NAME_PATTERN);

/** Where a secret value is found. The value itself is never part of a spec. */
const secretRef = z.union([
  z.strictObject({ env: z.string() }),
  z.strictObject({ file: z.string() }),
  z.strictObject({ command: z.string() }),
  /** The value of `name` in a dotenv file. */
  z.strictObject({ envFile: z.string(), name: z.string() }),
]);
export type SecretRef = z.infer<typeof secretRef>;

/** A plain value, or a reference with the keyed hash (hex) of the value it had when it was resolved. */
export const envValue = z.union([z.string(), z.strictObject({ secret: secretRef, hmac: z.string() })]);
export type EnvValue = z.infer<typeof envValue>;

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

const probeTiming = {
  interval: z.number(),
  timeout: z.number(),
  startPeriod: z.number(),
  failureThreshold: z.int().min(1),
  successThreshold: z.int().min(1),
};
const probe = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  /** Something listens on host:port and belongs to the server's process group. */
  z.strictObject({ type: z.literal("tcp"), port: z.int(), ...probeTiming }),
  /** As `tcp`, and it answers a GET of `path` with one of these codes; an empty list stands for 200 to 299. */
  z.strictObject({
    type: z.literal("http"),
    port: z.int(),
    path: z.string(),
    status: z.array(z.int()),
    ...probeTiming,
  }),
  /** As `tcp`, and an MCP exchange over `path` succeeds. */
  z.strictObject({ type: z.literal("mcp"), port: z.int(), path: z.string(), ...probeTiming }),
  /** A program, run in the server's environment and folder, ends with code 0. `command` is as declared. */
  z.strictObject({
    type: z.literal("command"),
    command: z.string(),
    program: z.string(),
    args: z.array(z.string()),
    ...probeTiming,
  }),
  /** A line of output matches `pattern`, an ECMAScript regular expression (readiness only). */
  z.strictObject({ type: z.literal("log"), pattern: z.string().refine(isPattern), ...probeTiming }),
]);
export type Probe = z.infer<typeof probe>;

export const STOP_SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
export const RESTART_POLICIES = ["on-failure", "always", "never"] as const;
export const WANTED = ["start", "stop", "ignore"] as const;
export const CONDITIONS = ["ready", "started", "completed"] as const;
export const CLASSES = ["user", "system"] as const;

export const serverSpec = z.strictObject({
  name,
  project: name,
  backend: z.enum(BACKENDS),
  /** Run by the machine's service manager, from boot on, instead of the account's. Absent: the account's. */
  class: z.literal("system").optional(),
  /** As declared. */
  command: z.string(),
  /** The absolute path that `command` was found at; equals `command` when nothing was found. */
  program: z.string(),
  args: z.array(z.string()),
  port: z.int().min(1).max(65535).nullable(),
  host: z.string(),
  mcp: z.strictObject({ path: z.string() }).nullable(),
  /** The whole environment that the process receives, nothing is added to it. */
  env: z.record(z.string(), envValue),
  workingDir: z.string(),
  umask: z.int(),
  restart: z.strictObject({
    policy: z.enum(RESTART_POLICIES),
    backoffInitial: z.number(),
    backoffMax: z.number(),
    maxRetriesPerMinute: z.int(),
    resetAfter: z.number(),
    successExitCodes: z.array(z.int()),
  }),
  stop: z.strictObject({ grace: z.number(), signal: z.enum(STOP_SIGNALS) }),
  readiness: probe,
  liveness: probe,
  dependsOn: z.array(z.strictObject({ server: name, condition: z.enum(CONDITIONS) })),
  logs: z.strictObject({ maxSize: z.int(), keep: z.int() }),
  wanted: z.enum(WANTED),
  limits: z.strictObject({ openFiles: z.int() }),
  description: z.string(),
  tags: z.array(z.string()),
});
export type ServerSpec = z.infer<typeof serverSpec>;

/** Values of the secret references in a spec's env, by environment name. Kept apart from the spec everywhere. */
export const secretValues = z.record(z.string(), z.string());
export type SecretValues = z.infer<typeof secretValues>;

type Fields = readonly (keyof ServerSpec)[];
/** What a process gets at its start, whatever runs it. */
const FROM_START = [
  "program",
  "args",
  "port",
  "host",
  "env",
  "workingDir",
  "umask",
] as const satisfies Fields;

/**
 * The fields of which a change may need a restart. launchd and supervisord take in nothing of a unit while its process
 * runs. Whether it does is said by `startHash`.
 */
export const RESTART_FIELDS: Readonly<Record<ServerSpec["backend"], Fields>> = {
  agent: [...FROM_START, "limits"],
  systemd: [...FROM_START, "limits", "class"],
  launchd: [...FROM_START, "limits", "class", "restart", "stop"],
  supervisord: [...FROM_START, "restart", "stop", "logs"],
};

/** How a process ended, as it is stored and sent: the type is `Exit`. */
export const exit = z.union([
  z.object({ kind: z.literal("code"), code: z.int() }),
  z.object({ kind: z.literal("signal"), signal: z.string() }),
  z.object({ kind: z.literal("unknown") }),
]);
