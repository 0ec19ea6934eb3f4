import { z } from "zod";
import { STATES } from "../model/observed.ts";
import { LONGEST_PATIENCE } from "../model/patience.ts";
import { mcpFacts, probeReport } from "../model/probe-report.ts";
import { serverSpec } from "../model/spec.ts";
import { CONDITIONS, exit, name, secretValues } from "../model/spec-parts.ts";
import { session, starter } from "../model/starter.ts";
import { LONGEST_PAUSE } from "../model/units.ts";
import { discoverContract } from "./discover-contract.ts";
import {
  listEntry,
  missing,
  statusEntry,
  treeEntry,
  troubles,
  unixMs,
  unwatched,
  verdict,
} from "./entry-contract.ts";
import { jobContract } from "./job-contract.ts";
import { shortServer } from "./short-spec.ts";
import { usageContract } from "./usage-contract.ts";

/** The wire protocol as one table: what is called, with which params, and what comes back. JSON-RPC 2.0, a document a line. */

const project = name.optional();

/** One server, or several, or with `all` every server of the project (of all projects when none is named). */
const targets = <Options extends z.ZodRawShape>(options: Options) =>
  z.union([
    z.strictObject({ name, project, ...options }),
    z.strictObject({ names: z.array(name).min(1), project, ...options }),
    z.strictObject({ all: z.literal(true), project, ...options }),
  ]);
const target = targets({});
const startTarget = targets({
  /** Cancel what is left of its actions' jobs, and delete its jobs that are over; of a server that runs nothing changes. */
  replace_existing_jobs: z.boolean().default(true),
  /** At once, whatever it depends on. */
  no_deps: z.boolean().default(false),
});
/** False: it is only begun, and its state is `stopping`. Of several none waits for those that depend on it. */
const wait = z.boolean().default(true);
const stopTarget = targets({
  /** Also cancel what runs of its actions, and delete its jobs; not without `wait`. */
  remove_jobs: z.boolean().default(false),
  wait,
});
const killTarget = targets({ wait });
const pauseTarget = targets({ for_ms: z.int().min(1).max(LONGEST_PAUSE).optional() });
const names = z.array(z.string());
const waitMs = z.int().min(0).max(LONGEST_PATIENCE).optional();
/** Daemons that servers have left behind, which run on; absent: there are none. */
const left = z
  .array(z.object({ name: z.string(), project: z.string(), pid: z.int(), program: z.string() }))
  .optional();

/** Those of which it could not be written down that they are held and ended, and why: a later agent does not know it. */
const unrecorded = z
  .array(z.object({ name: z.string(), project: z.string(), message: z.string() }))
  .optional();

/** With `names` and `all`, what went wrong does not hide what went well. */
const failed = z.array(z.object({ name: z.string(), code: z.int(), message: z.string() }));

const observed = z.object({
  name: z.string(),
  project: z.string(),
  backend: z.literal("agent"),
  spec: serverSpec.optional(),
  runningHash: z.string().optional(),
  state: z.enum(STATES),
  operator: z.enum(["start", "stop"]).nullable(),
  drift: z.string().optional(),
  pid: z.int().optional(),
  startedAt: unixMs.optional(),
  restartCount: z.int(),
  lastExit: z.object({ exit, at: unixMs, requested: z.boolean().optional() }).optional(),
  nextStartAt: unixMs.optional(),
  paused: z.object({ at: unixMs, until: unixMs.optional() }).optional(),
  unwatched: unwatched.optional(),
  startedBy: starter.optional(),
  reason: z.string().optional(),
  restored: z.object({ at: unixMs, because: z.string() }).optional(),
  since: unixMs,
  lastLines: z.array(z.string()).optional(),
  ready: verdict,
  healthy: verdict,
  mcp: mcpFacts.optional(),
  waitsFor: missing.optional(),
  kept: z.literal(true).optional(),
  troubles: troubles.optional(),
});

const applied = z.union([
  z.object({ ok: z.literal(true), detail: z.string(), waits_for: missing.optional() }),
  z.object({
    ok: z.literal(false),
    message: z.string(),
    /** Of the last run that failed, or else of the newest one. */
    last_lines: z.array(z.string()),
    /** Which settings would help, if the server is as it should be: a clause each. */
    help: z.array(z.string()).optional(),
    /** Somebody else holds a port that it needs. */
    port_conflict: z.literal(true).optional(),
    /** It starts by itself once these are otherwise; what is to be restarted runs on as it was. */
    waits_for: missing.optional(),
  }),
]);

/**
 * `reads`: it changes nothing, so a param that it does not know may be ignored, with a warning. Where something is
 * changed, one that looks like a slip of the pen is refused: see `params.ts`.
 */
export const contract = {
  list: {
    reads: true,
    summary: "Every server, in name order",
    params: z.strictObject({ project }),
    result: z.array(listEntry),
  },
  status: {
    reads: true,
    summary: "Everything about one server",
    params: z.strictObject({ name, project }),
    result: statusEntry,
  },
  why: {
    reads: true,
    summary: "One paragraph for people: why a server is in its state, and what would change that",
    params: z.strictObject({ name, project }),
    result: z.object({ project: z.string(), name: z.string(), why: z.string() }),
  },
  tree: {
    reads: true,
    summary: "Every server with what it depends on, in name order",
    params: z.strictObject({ project }),
    result: z.array(treeEntry),
  },
  start: {
    reads: false,
    summary:
      "Start, and lift a hold; a running server is left alone. What it depends on is started first, unless that is held or wanted stopped: then the server waits for it",
    params: startTarget,
    result: z.object({ started: names, already_running: names, failed }),
  },
  stop: {
    reads: false,
    summary: "Stop the server's processes, and hold it stopped",
    params: stopTarget,
    result: z.object({ stopped: names, not_running: names, failed, left, unrecorded }),
  },
  restart: {
    reads: false,
    summary: "Stop and start again, or start what does not run",
    params: startTarget,
    /** `started`: those of `restarted` that did not run before, and what they depend on that was started for them. */
    result: z.object({ restarted: names, started: names, failed }),
  },
  kill: {
    reads: false,
    summary: "Stop without grace (SIGKILL), and hold",
    params: killTarget,
    result: z.object({ killed: names, not_running: names, failed, left, unrecorded }),
  },
  pause: {
    reads: false,
    summary:
      "Suspend restarts and what probes lead to, for `for_ms` or until `resume`; one that is paused already gets the new end",
    params: pauseTarget,
    result: z.object({ paused: names, already_paused: names, failed }),
  },
  resume: {
    reads: false,
    summary: "End a pause: what should run and does not is started",
    params: target,
    result: z.object({ resumed: names, not_paused: names, failed }),
  },
  reload: {
    reads: false,
    summary:
      "Evaluate the project's configuration again and apply it. An error says that nothing was done; what failed of it is in `failed`, and in no other list",
    params: z.strictObject({ project }),
    result: z.object({ added: names, removed: names, changed: names, unchanged: names, failed }),
  },
  logs: {
    reads: true,
    summary: "Last lines, then new ones as `log` notifications, then `log_end`",
    params: z.strictObject({
      name,
      project,
      tail: z.int().min(0).max(1_000_000).default(100),
      follow: z.boolean().default(false),
      since_unix_ms: unixMs.optional(),
      stream: z.enum(["stdout", "stderr"]).optional(),
      /** With `follow`: tell of changes of its state too, as `transition` notifications. */
      transitions: z.boolean().default(false),
      /** Lines as they were printed; else the values of the server's secrets are left out. */
      raw: z.boolean().default(false),
    }),
    result: z.object({ subscription_id: z.int() }),
  },
  logs_cancel: {
    reads: true,
    summary: "End a log subscription of this connection",
    params: z.strictObject({ subscription_id: z.int() }),
    result: z.object({ cancelled: z.boolean() }),
  },
  observe: {
    reads: true,
    summary: "What a plan compares with: every recorded server of a project, as it is now",
    params: z.strictObject({ project, name: name.optional() }),
    result: z.array(observed),
  },
  apply: {
    reads: false,
    summary: "Carry out one change of a plan, and wait until the server is ready",
    params: z.strictObject({
      project: name,
      server: name,
      action: z.enum(["add", "update", "restart", "start", "stop", "remove"]),
      /** Needed unless the action is `remove`. `command` is enough; the rest is filled in. */
      spec: shortServer.optional(),
      secrets: secretValues.default({}),
      /** Longest wait; 0: do not wait. Left out: as with `while_progress`, up to its start-timeout. */
      wait_ms: waitMs,
      /**
       * The wait is over, too, at the server's start-timeout, and after a minute without a sign of life: a line, use of
       * a processor, a new process. A changed server that ran has one minute, unless it declares a start-timeout.
       */
      while_progress: z.boolean().default(false),
      /** Tell how the start is getting on, by `apply_progress` notifications. */
      progress: z.boolean().default(false),
      /** What is waited for: that its program runs, that it is ready, or that it has ended with success. */
      until: z.enum(CONDITIONS).default("ready"),
      /** When it has not come to that by then: put a changed server back, leave a new one stopped. */
      rollback: z.boolean().default(true),
      /** Of an update: the spec is the one before by other names of the same places, so that what runs was started with it. */
      renamed: z.boolean().default(false),
      /** Of a server that is added: an operator holds it, where it comes from. */
      held: z.boolean().default(false),
      /** The session that a server which does not run is started for: it is stopped when that process is gone. */
      session: session.strict().optional(),
    }),
    result: applied,
  },
  keep: {
    reads: false,
    summary:
      "Add a server that no configuration declares, and wait until it is ready. It is `kept`: no plan removes it, until a configuration declares one of its name. One that is kept already as `spec` says is only started",
    params: z.strictObject({
      project: name,
      server: name,
      /** As of `apply`. */
      spec: shortServer,
      secrets: secretValues.default({}),
      wait_ms: waitMs,
      while_progress: z.boolean().default(false),
      progress: z.boolean().default(false),
      /** An operator holds it, where it comes from. */
      held: z.boolean().default(false),
    }),
    result: applied,
  },
  forget: {
    reads: false,
    summary: "Stop a server that is `kept`, and remove it with its logs and jobs",
    params: z.strictObject({ name, project }),
    result: z.object({ name: z.string(), project: z.string(), detail: z.string() }),
  },
  probe: {
    reads: true,
    summary: "Look once now, with every step; the supervision does not hear of it",
    params: z.strictObject({ name, project, which: z.enum(["readiness", "liveness"]).default("readiness") }),
    result: probeReport.extend({
      name: z.string(),
      project: z.string(),
      which: z.enum(["readiness", "liveness"]),
      type: z.string(),
    }),
  },
  session_end: {
    reads: false,
    summary: "Stop what runs of a session, without holding it",
    params: z.strictObject({ session: session.strict() }),
    result: z.object({ stopped: names, failed }),
  },
  ...usageContract,
  ...jobContract,
  ...discoverContract,
  agent_info: {
    reads: true,
    summary: "The agent itself",
    params: z.strictObject({}),
    result: z.object({
      pid: z.int(),
      version: z.string(),
      socket: z.string(),
      state_dir: z.string(),
      started_at_unix_ms: unixMs,
      servers: z.int(),
      /** What it cannot do for its servers now, and what of their output was lost since it began. */
      troubles: z.array(z.object({ project: z.string(), name: z.string(), trouble: z.string() })).optional(),
    }),
  },
  agent_upgrade: {
    reads: false,
    summary:
      "Hand over to another program, which is tried out first; the servers run on. The agent ends after its answer",
    params: z.strictObject({
      /** Absolute paths of a Node, and of the script that is the agent. */
      node: z.string(),
      entry: z.string(),
      /** How long the new agent may take to serve; then this one is brought back. */
      bound_secs: z.int().min(1).max(3600).default(20),
    }),
    result: z.object({ version: z.string() }),
  },
  agent_shutdown: {
    reads: false,
    summary: "End the agent; without `keep_servers` all servers are stopped first, and none is held",
    params: z.strictObject({
      keep_servers: z.boolean().default(false),
      /** Another agent waits to take over: the record of this one stays, so that nobody starts a third. */
      replaced: z.boolean().default(false),
    }),
    /** `left`: could not be stopped, and go on without an agent. */
    result: z.object({ stopped: names, left: names }),
  },
} as const;

type Contract = typeof contract;
export type Method = keyof Contract;
export type Params<M extends Method> = z.input<Contract[M]["params"]>;
export type ParsedParams<M extends Method> = z.output<Contract[M]["params"]>;
export type ResultOf<M extends Method> = z.output<Contract[M]["result"]>;
