import { z } from "zod";
import { unixMs } from "../model/observed-schema.ts";
import { probeReport } from "../model/probe-report.ts";
import { name } from "../model/spec-parts.ts";
import { session } from "../model/starter.ts";
import { applyContract } from "./apply-contract.ts";
import { discoverContract } from "./discover-contract.ts";
import { listEntry, statusEntry, treeEntry } from "./entry-contract.ts";
import { grep, jobContract } from "./job-contract.ts";
import { failed, operateContract } from "./operate-contract.ts";
import { usageContract } from "./usage-contract.ts";

/** The wire protocol as one table: what is called, with which params, and what comes back. JSON-RPC 2.0, a document a line. */

const project = name.optional();

const names = z.array(z.string());
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
    summary: "One paragraph of text: why a server is in its state, and what would change that",
    params: z.strictObject({ name, project }),
    result: z.object({ project: z.string(), name: z.string(), why: z.string() }),
  },
  tree: {
    reads: true,
    summary: "Every server with what it depends on, in name order",
    params: z.strictObject({ project }),
    result: z.array(treeEntry),
  },
  ...operateContract,
  reload: {
    reads: false,
    summary:
      "Evaluate the project's configuration again and apply it. An error means that nothing was done; servers that failed are in `failed`, and in no other list",
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
      /** With `follow`: report changes of its state too, as `transition` notifications. */
      transitions: z.boolean().default(false),
      /** Lines as printed; otherwise the values of the server's secrets are left out. */
      raw: z.boolean().default(false),
      /** Older lines only. */
      until_unix_ms: unixMs.optional(),
      grep,
    }),
    result: z.object({ subscription_id: z.int() }),
  },
  logs_cancel: {
    reads: true,
    summary: "End a log subscription of this connection",
    params: z.strictObject({ subscription_id: z.int() }),
    result: z.object({ cancelled: z.boolean() }),
  },
  ...applyContract,
  forget: {
    reads: false,
    summary: "Stop a server that is `kept`, and remove it with its logs and jobs",
    params: z.strictObject({ name, project }),
    result: z.object({ name: z.string(), project: z.string(), detail: z.string() }),
  },
  probe: {
    reads: true,
    summary: "Probe once now, and report each step; supervision is not affected",
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
    summary: "Stop the servers that a session started, without holding them",
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
      /** It serves servers that speak over stdin and stdout. */
      bridges: z.literal(true).optional(),
      /** What it cannot do for its servers now, and which of their output was lost since it started. */
      troubles: z.array(z.object({ project: z.string(), name: z.string(), trouble: z.string() })).optional(),
    }),
  },
  agent_upgrade: {
    reads: false,
    summary:
      "Hand over to another program, which is tried first; the servers keep running. The agent exits after its answer",
    params: z.strictObject({
      /** Absolute paths of a Node, and of the script that is the agent. */
      node: z.string(),
      entry: z.string(),
      /** How long the new agent may take until it serves; after that, this one comes back. */
      bound_secs: z.int().min(1).max(3600).default(20),
    }),
    result: z.object({ version: z.string() }),
  },
  agent_shutdown: {
    reads: false,
    summary: "Stop the agent; without `keep_servers` all servers are stopped first, but not held",
    params: z.strictObject({
      keep_servers: z.boolean().default(false),
      /** Another agent waits to take over: the record of this one stays, so that nobody starts a third. */
      replaced: z.boolean().default(false),
    }),
    /** `left`: servers that could not be stopped, and keep running without an agent. */
    result: z.object({ stopped: names, left: names }),
  },
} as const;

type Contract = typeof contract;
export type Method = keyof Contract;
export type Params<M extends Method> = z.input<Contract[M]["params"]>;
export type ParsedParams<M extends Method> = z.output<Contract[M]["params"]>;
export type ResultOf<M extends Method> = z.output<Contract[M]["result"]>;
