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
/** Daemons that servers have left behind, which run on; absent: there are none. */
const left = z
  .array(z.object({ name: z.string(), project: z.string(), pid: z.int(), program: z.string() }))
  .optional();

/** Those of which it could not be written down that they are held and ended, and why: a later agent does not know it. */
const unrecorded = z
  .array(z.object({ name: z.string(), project: z.string(), message: z.string() }))
  .optional();

/** With `names` and `all`, what went wrong does not hide what went well. */
export const failed = z.array(z.object({ name: z.string(), code: z.int(), message: z.string() }));

export const operateContract = {
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
} as const;
