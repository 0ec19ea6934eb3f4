import { z } from "zod";
import { actionSecrets, actionSpec } from "../model/action.ts";
import { job, jobSpec, PHASES } from "../model/job.ts";
import { unixMs } from "../model/observed-schema.ts";
import { name } from "../model/spec-parts.ts";
import { shortAction } from "./short-spec.ts";

/** The methods for actions, and for the jobs that record their runs. */

const project = name.optional();
const id = z.int().min(1);

/** Only lines in which this matches: a regular expression that is matched in linear time, as for a `log` probe. */
export const grep = z.string().max(1000).optional();

export const jobContract = {
  action_list: {
    reads: true,
    summary: "Every applied action, in name order, with its next scheduled run",
    params: z.strictObject({ project }),
    result: z.array(z.object({ spec: actionSpec, next_run_unix_ms: unixMs.nullable() })),
  },
  action_apply: {
    reads: false,
    summary:
      "Add or replace actions, with the values of their secrets, and remove others: all of it, or nothing. The running jobs of a removed action are cancelled, and its jobs are deleted",
    params: z.strictObject({
      project: name,
      set: z.array(actionSpec),
      /** By action: `backup`, or `web:backup` of a server. A value that is left out stays what it was. */
      secrets: actionSecrets.default({}),
      /** Actions by name, as above. */
      remove: z.array(z.string()).default([]),
    }),
    result: z.object({ actions: z.int() }),
  },
  action_run: {
    reads: false,
    summary:
      "Run an action now, after the actions in its `after`. Answers with its job at once, without waiting for it. If another job of the action is running, its `concurrency` decides",
    params: z.strictObject({
      action: name,
      /** Left out, or null: an action that stands alone. */
      server: name.nullable().default(null),
      project,
      /** Appended to the declared ones. */
      args: z.array(z.string()).default([]),
    }),
    result: job,
  },
  job_run: {
    reads: false,
    summary:
      "Run a command now, as a job that no action declares. Answers with its job at once, without waiting for it. The job has `inline`, and belongs to no server",
    params: z.strictObject({
      project: name,
      /** `name` and `command` are enough; the rest is filled in. */
      spec: shortAction,
    }),
    result: job,
  },
  job_list: {
    reads: true,
    summary: "Jobs, newest first",
    params: z.strictObject({
      project,
      server: name.optional(),
      action: name.optional(),
      /** The same, by the names that a job has them under. */
      service_id: name.optional(),
      action_id: name.optional(),
      /** Only of actions that stand alone. */
      standalone: z.literal(true).optional(),
      phase: z.enum(PHASES).optional(),
      tag: z.string().optional(),
      /** Created since then. */
      since_unix_ms: unixMs.optional(),
      limit: z.int().min(1).max(1000).default(100),
      /** `next_cursor` of an earlier answer: it goes on there. */
      cursor: id.optional(),
    }),
    /** `next_cursor` is null when there are no more. */
    result: z.object({ jobs: z.array(job), next_cursor: id.nullable() }),
  },
  job_get: {
    reads: true,
    summary: "One job, with what ran",
    params: z.strictObject({ id }),
    result: job.extend({ spec: jobSpec.nullable(), log_path: z.string() }),
  },
  job_logs: {
    reads: true,
    summary:
      "Last lines of a job's output, then new ones as `log` notifications, then `log_end`; for a server's own program, the lines of its log from this run",
    params: z.strictObject({
      id,
      tail: z.int().min(0).max(1_000_000).default(1_000_000),
      /** Until the job ends. */
      follow: z.boolean().default(false),
      stream: z.enum(["stdout", "stderr"]).optional(),
      /** Lines as printed; otherwise the values of secrets are left out. */
      raw: z.boolean().default(false),
      grep,
    }),
    result: z.object({ subscription_id: z.int() }),
  },
  job_cancel: {
    reads: false,
    summary:
      "Stop a job of an action: its process group gets its stop signal, and SIGKILL after its grace. Jobs that come after it in the same run are cancelled, and so are jobs that only it was waiting for",
    params: z.strictObject({ id }),
    /** False: it had already ended. */
    result: z.object({ cancelled: z.boolean() }),
  },
  job_retry: {
    reads: false,
    summary:
      "Run again what a job ran, without the actions before it, as a new job of the same server and action",
    params: z.strictObject({ id }),
    result: job,
  },
  job_delete: {
    reads: false,
    summary: "Delete a finished job, or all finished jobs of a server, with their logs",
    params: z.union([
      z.strictObject({ id }),
      z.strictObject({
        server: name,
        project,
        /** First cancel the running jobs of the server's actions. */
        cancel: z.boolean().default(false),
      }),
    ]),
    result: z.object({ deleted: z.int() }),
  },
  job_clear: {
    reads: false,
    summary:
      "Delete all jobs of a project that no action declares, with their logs; running ones are cancelled first",
    params: z.strictObject({ project: name }),
    result: z.object({ deleted: z.int() }),
  },
} as const;
