import { z } from "zod";
import { name } from "../model/spec-parts.ts";
import { LONGEST_PAUSE } from "../model/units.ts";

/** The methods that start, stop and pause servers: one, several, or all. */

const project = name.optional();
const names = z.array(z.string());

/** One server, or several, or with `all` every server of the project (of all projects when none is named). */
const targets = <Options extends z.ZodRawShape>(options: Options) =>
  z.union([
    z.strictObject({ name, project, ...options }),
    z.strictObject({ names: z.array(name).min(1), project, ...options }),
    z.strictObject({ all: z.literal(true), project, ...options }),
  ]);
const target = targets({});
const startTarget = targets({
  /** Cancel its actions' unfinished jobs, and delete its finished jobs; for a running server nothing changes. */
  replace_existing_jobs: z.boolean().default(true),
  /** Start immediately, without waiting for dependencies. */
  no_deps: z.boolean().default(false),
});
/** False: answer at once; the state is `stopping`. Of several servers, none waits for those that depend on it. */
const wait = z.boolean().default(true);
const stopTarget = targets({
  /** Also cancel its actions' running jobs, and delete its jobs; requires `wait`. */
  remove_jobs: z.boolean().default(false),
  wait,
});
const killTarget = targets({ wait });
const pauseTarget = targets({ for_ms: z.int().min(1).max(LONGEST_PAUSE).optional() });
/** Daemons that servers left running; absent: there are none. */
const left = z
  .array(z.object({ name: z.string(), project: z.string(), pid: z.int(), program: z.string() }))
  .optional();

/** Servers whose hold could not be recorded, and why: a later agent will not know about it. */
const unrecorded = z
  .array(z.object({ name: z.string(), project: z.string(), message: z.string() }))
  .optional();

/** With `names` and `all`, one failure does not hide the successes. */
export const failed = z.array(z.object({ name: z.string(), code: z.int(), message: z.string() }));

export const operateContract = {
  start: {
    reads: false,
    summary:
      "Start, and end a hold; a running server is left alone. Its dependencies are started first. If one is held, or wanted stopped, the server waits for it",
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
    summary: "Stop and start again, or start a server that is not running",
    params: startTarget,
    /** `started`: those of `restarted` that were not running, and the dependencies that were started for them. */
    result: z.object({ restarted: names, started: names, failed }),
  },
  kill: {
    reads: false,
    summary: "Stop immediately (SIGKILL), and hold",
    params: killTarget,
    result: z.object({ killed: names, not_running: names, failed, left, unrecorded }),
  },
  pause: {
    reads: false,
    summary:
      "Suspend restarts and the consequences of probes, for `for_ms` or until `resume`. A server that is already paused gets the new end",
    params: pauseTarget,
    result: z.object({ paused: names, already_paused: names, failed }),
  },
  resume: {
    reads: false,
    summary: "End a pause: a server that should run and does not is started",
    params: target,
    result: z.object({ resumed: names, not_paused: names, failed }),
  },
} as const;
