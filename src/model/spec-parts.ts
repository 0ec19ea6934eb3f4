import { z } from "zod";
import { NAME_PATTERN } from "./name.ts";

/** The parts of a server's spec. Durations are milliseconds, sizes bytes. */

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

const probeTiming = {
  interval: z.number(),
  timeout: z.number(),
  startPeriod: z.number(),
  failureThreshold: z.int().min(1),
  successThreshold: z.int().min(1),
};
/** `any`: whoever listens is as good as one of the server's own processes. */
const owner = { owner: z.enum(["own", "any"]).optional() };
/** What another version has added is kept. */
const open = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape) as unknown as z.ZodObject<T>;

export const probe = z.discriminatedUnion("type", [
  open({ type: z.literal("none") }),
  /** Something listens on host:port and belongs to one of the server's processes. */
  open({ type: z.literal("tcp"), port: z.int(), ...owner, ...probeTiming }),
  /**
   * As `tcp`, and it answers a GET of `path` with one of these codes; an empty list stands for 200 to 299. `host`: it is
   * asked there, whoever listens.
   */
  open({
    type: z.literal("http"),
    port: z.int(),
    host: z.string().optional(),
    path: z.string(),
    status: z.array(z.int()),
    ...owner,
    ...probeTiming,
  }),
  /** As `tcp`, and an MCP exchange over `path` succeeds. */
  open({ type: z.literal("mcp"), port: z.int(), path: z.string(), ...owner, ...probeTiming }),
  /** A program, run in the server's environment and folder, ends with code 0. `command` is as declared. */
  open({
    type: z.literal("command"),
    command: z.string(),
    program: z.string(),
    args: z.array(z.string()),
    ...probeTiming,
  }),
  /** A line of output matches `pattern`, an ECMAScript regular expression (readiness only). */
  open({ type: z.literal("log"), pattern: z.string(), ...probeTiming }),
]);
export type Probe = z.infer<typeof probe>;

/** Whether another process may listen in its place. */
export const isAnyones = (probe: Probe): boolean => "owner" in probe && probe.owner === "any";

export const STOP_SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
export const RESTART_POLICIES = ["on-failure", "always", "never"] as const;
export const WANTED = ["start", "stop", "ignore"] as const;
export const CONDITIONS = ["ready", "started", "completed"] as const;
/** What a plan may do to a server, see `Action`. */
export const CHANGE_ACTIONS = ["add", "update", "restart", "start", "stop", "remove"] as const;
export const CLASSES = ["user", "system"] as const;

/** Values of the secret references in a spec's env, by environment name. Kept apart from the spec everywhere. */
export const secretValues = z.record(z.string(), z.string());
export type SecretValues = z.infer<typeof secretValues>;

/** How a process ended. `unknown`: nobody who could tell saw it end; `because` says why, in one clause. */
export const exit = z.union([
  z.object({ kind: z.literal("code"), code: z.int() }),
  z.object({ kind: z.literal("signal"), signal: z.string() }),
  z.object({ kind: z.literal("unknown"), because: z.string().optional() }),
]);

/** Identifies one process for good: sooner or later another program gets the same pid. */
export const processId = z.object({
  pid: z.int().min(1),
  /** Start time as the system tells it; opaque, only compared. */
  start: z.string(),
  /** Which boot of the machine the start time counts from. */
  boot: z.string(),
});
