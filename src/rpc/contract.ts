import { z } from "zod";
import { BACKENDS } from "../model/backends.ts";
import { STATES } from "../model/observed.ts";
import { LONGEST_PATIENCE } from "../model/patience.ts";
import { mcpFacts, probeReport } from "../model/probe-report.ts";
import { serverSpec } from "../model/spec.ts";
import { CONDITIONS, exit, name, secretValues } from "../model/spec-parts.ts";
import { session, starter } from "../model/starter.ts";
import { LONGEST_PAUSE } from "../model/units.ts";
import { discoverContract } from "./discover-contract.ts";
import { jobContract } from "./job-contract.ts";
import { usageContract } from "./usage-contract.ts";

/** The wire protocol as one table: what is called, with which params, and what comes back. JSON-RPC 2.0, a document a line. */

const project = name.optional();
const verdict = z.object({
  status: z.enum(["ok", "failing", "unknown"]),
  evidence: z.string(),
  at: z.number(),
});

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
/** `remove_jobs`: also cancel what runs of its actions, and delete its jobs. */
const stopTarget = targets({ remove_jobs: z.boolean().default(false) });
const pauseTarget = targets({ for_ms: z.number().min(1).max(LONGEST_PAUSE).optional() });
const names = z.array(z.string());
/** With `names` and `all`, what went wrong does not hide what went well. */
/** Daemons that servers have left behind, which run on; absent: there are none. */
const left = z
  .array(z.object({ name: z.string(), project: z.string(), pid: z.int(), program: z.string() }))
  .optional();

const failed = z.array(z.object({ name: z.string(), code: z.int(), message: z.string() }));

/** What keeps a server from starting: it starts by itself once these are otherwise. */
const missing = z.array(
  z.object({
    server: z.string(),
    condition: z.enum(CONDITIONS),
    state: z.string(),
    /** It rests, and nothing brings it up by itself. */
    resting: z.boolean(),
  }),
);

const listEntry = z.object({
  name: z.string(),
  project: z.string(),
  /** What runs it; an agent tells of its own servers only. */
  backend: z.enum(BACKENDS),
  state: z.enum(STATES),
  pid: z.int().optional(),
  port: z.int().nullable(),
  /** An operator said stop: it stays stopped until an operator says start. */
  held: z.boolean(),
  /** Restarts, and what probes lead to, are suspended; without `until_unix_ms` until `resume`. */
  paused: z.object({ at_unix_ms: z.number(), until_unix_ms: z.number().optional() }).optional(),
  uptime_secs: z.number().optional(),
  /** Null: nobody counts. */
  restart_count: z.int().nullable(),
  last_exit: z.object({ exit, at_unix_ms: z.number() }).optional(),
  /** Null: not known (yet). */
  ready: z.boolean().nullable(),
  healthy: z.boolean().nullable(),
  /** Only while it waits; its state is `stopped` then. */
  waits_for: missing.optional(),
  /** Where its project's configuration was, which is gone; `xy list` alone looks. */
  root_gone: z.string().optional(),
});

const treeEntry = listEntry.extend({
  depends_on: z.array(z.object({ server: z.string(), condition: z.enum(CONDITIONS) })),
});

const statusEntry = listEntry.extend({
  since_unix_ms: z.number(),
  /** Of the process that runs. */
  started_at_unix_ms: z.number().optional(),
  reason: z.string().optional(),
  operator: z.enum(["start", "stop"]).nullable(),
  /** On whose word it runs, or ran last. */
  started_by: starter.optional(),
  drift: z.string().optional(),
  recent_transitions: z.array(
    z.object({ from: z.string(), to: z.string(), at_unix_ms: z.number(), reason: z.string().optional() }),
  ),
  probes: z.object({ readiness: verdict, liveness: verdict }),
  /** What an MCP server said of itself. */
  mcp: mcpFacts.optional(),
  spec: serverSpec,
  log_path: z.string(),
  last_lines: z.array(z.string()).optional(),
});

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
  startedAt: z.number().optional(),
  restartCount: z.int(),
  lastExit: z.object({ exit, at: z.number(), requested: z.boolean().optional() }).optional(),
  nextStartAt: z.number().optional(),
  paused: z.object({ at: z.number(), until: z.number().optional() }).optional(),
  startedBy: starter.optional(),
  reason: z.string().optional(),
  restored: z.object({ at: z.number(), because: z.string() }).optional(),
  since: z.number(),
  lastLines: z.array(z.string()).optional(),
  ready: verdict,
  healthy: verdict,
  mcp: mcpFacts.optional(),
  waitsFor: missing.optional(),
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
    /** It starts by itself once these are otherwise; what is to be restarted runs on as it was. */
    waits_for: missing.optional(),
  }),
]);

export const contract = {
  list: {
    summary: "Every server, in name order",
    params: z.strictObject({ project }),
    result: z.array(listEntry),
  },
  status: {
    summary: "Everything about one server",
    params: z.strictObject({ name, project }),
    result: statusEntry,
  },
  why: {
    summary: "One paragraph for people: why a server is in its state, and what would change that",
    params: z.strictObject({ name, project }),
    result: z.object({ project: z.string(), name: z.string(), why: z.string() }),
  },
  tree: {
    summary: "Every server with what it depends on, in name order",
    params: z.strictObject({ project }),
    result: z.array(treeEntry),
  },
  start: {
    summary:
      "Start, and lift a hold; a running server is left alone. What it depends on is started first, unless that is held or wanted stopped: then the server waits for it",
    params: startTarget,
    result: z.object({ started: names, already_running: names, failed }),
  },
  stop: {
    summary: "Stop the server's processes, and hold it stopped",
    params: stopTarget,
    result: z.object({ stopped: names, not_running: names, failed, left }),
  },
  restart: {
    summary: "Stop and start again, or start what does not run",
    params: startTarget,
    result: z.object({ restarted: names, started: names, failed }),
  },
  kill: {
    summary: "Stop without grace (SIGKILL), and hold",
    params: target,
    result: z.object({ killed: names, not_running: names, failed, left }),
  },
  pause: {
    summary:
      "Suspend restarts and what probes lead to, for `for_ms` or until `resume`; one that is paused already gets the new end",
    params: pauseTarget,
    result: z.object({ paused: names, already_paused: names, failed }),
  },
  resume: {
    summary: "End a pause: what should run and does not is started",
    params: target,
    result: z.object({ resumed: names, not_paused: names, failed }),
  },
  reload: {
    summary: "Evaluate the project's configuration again and apply it",
    params: z.strictObject({ project }),
    result: z.object({ added: names, removed: names, changed: names, unchanged: names }),
  },
  logs: {
    summary: "Last lines, then new ones as `log` notifications, then `log_end`",
    params: z.strictObject({
      name,
      project,
      tail: z.int().min(0).max(1_000_000).default(100),
      follow: z.boolean().default(false),
      since_unix_ms: z.number().optional(),
      stream: z.enum(["stdout", "stderr"]).optional(),
      /** With `follow`: tell of changes of its state too, as `transition` notifications. */
      transitions: z.boolean().default(false),
      /** Lines as they were printed; else the values of the server's secrets are left out. */
      raw: z.boolean().default(false),
    }),
    result: z.object({ subscription_id: z.int() }),
  },
  logs_cancel: {
    summary: "End a log subscription of this connection",
    params: z.strictObject({ subscription_id: z.int() }),
    result: z.object({ cancelled: z.boolean() }),
  },
  observe: {
    summary: "What a plan compares with: every recorded server of a project, as it is now",
    params: z.strictObject({ project, name: name.optional() }),
    result: z.array(observed),
  },
  apply: {
    summary: "Carry out one change of a plan, and wait until the server is ready",
    params: z.strictObject({
      project: name,
      server: name,
      action: z.enum(["add", "update", "restart", "start", "stop", "remove"]),
      spec: serverSpec.optional(),
      secrets: secretValues.default({}),
      /** Longest wait; 0: do not wait. */
      wait_ms: z.number().min(0).max(LONGEST_PATIENCE),
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
  probe: {
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
    summary: "Stop what runs of a session, without holding it",
    params: z.strictObject({ session: session.strict() }),
    result: z.object({ stopped: names, failed }),
  },
  ...usageContract,
  ...jobContract,
  ...discoverContract,
  agent_info: {
    summary: "The agent itself",
    params: z.strictObject({}),
    result: z.object({
      pid: z.int(),
      version: z.string(),
      socket: z.string(),
      state_dir: z.string(),
      started_at_unix_ms: z.number(),
      servers: z.int(),
    }),
  },
  agent_upgrade: {
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
export type ListEntry = z.output<typeof listEntry>;
export type TreeEntry = z.output<typeof treeEntry>;
export type StatusEntry = z.output<typeof statusEntry>;
