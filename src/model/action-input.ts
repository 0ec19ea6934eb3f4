import { z } from "zod";
import { CONCURRENCY, MISSED } from "./action.ts";
import {
  duration,
  envInput,
  oneOf,
  oneOrMore,
  oneOrMoreOf,
  pathText,
  text,
  textList,
  umaskInput,
  whole,
} from "./input-parts.ts";
import { STOP_SIGNALS } from "./spec-parts.ts";
import { parseDuration } from "./units.ts";

/** An action as a person may write it, in camelCase. See server.ts on its `error` texts and descriptions. */

const cron = text('write a cron expression such as "0 3 * * *"').describe(
  "Cron expression: minute, hour, day of month, month, day of week (with seconds before them, if there are six parts), or `@daily` and its like.",
);

const scheduleInput = z.union(
  [
    cron,
    z.strictObject({
      cron,
      timeZone: text('write a time zone such as "Europe/Berlin"')
        .optional()
        .describe("Time zone by its IANA name; that of the machine that applies when left out."),
      missed: oneOf(MISSED)
        .default("once")
        .describe(
          "When the machine slept, or no agent ran, at one time or several: run it `once` afterwards, or `skip` them.",
        ),
    }),
  ],
  { error: "write a cron expression, or a block with cron, time-zone and missed" },
);

const retriesInput = z.union(
  [
    whole(0, 100),
    z.strictObject({
      max: whole(0, 100).describe("How often it is tried again after it failed."),
      backoffInitial: duration
        .default("1s")
        .describe("Wait before the second attempt; doubled for each one after it."),
      backoffMax: duration.default("30s").describe("Longest wait before an attempt."),
    }),
  ],
  { error: "write a number, or a block with max, backoff-initial and backoff-max" },
);

/** What may take no time at all can only fail. */
const someTime = duration.refine((value) => parseDuration(value) !== 0, {
  error: 'write a longer time, or "none"',
});

export const actionInput = z.strictObject(
  {
    command: pathText("program", "write the program to run")
      .optional()
      .describe("The program, found as that of a server is. Either this or `script` is required."),
    script: text("write the text of the script")
      .optional()
      .describe("Text of a script. Nothing is filled in: it finds what it needs in its environment."),
    interpreter: oneOrMoreOf(pathText("program"))
      .optional()
      .describe(
        "Program that runs the script, with its arguments; what its first line (`#!…`) names when left out.",
      ),
    args: textList
      .default([])
      .describe("Arguments of the command or the script; templates are filled in as in those of a server."),
    env: envInput
      .default({})
      .describe("Environment, on top of that of its server, or of the one everything gets."),
    workingDir: pathText("file", "write a path")
      .optional()
      .describe("Folder it runs in: that of its server, or the home folder, when left out."),
    umask: umaskInput
      .optional()
      .describe("Permissions taken from new files, in octal; `022`, or that of its server."),
    timeout: z
      .union([someTime, z.literal("none")], { error: 'write a duration such as "5m", or "none"' })
      .default("1h")
      .describe("Longest run; then it is stopped, and has failed. `none`: as long as it takes."),
    grace: duration
      .default("10s")
      .describe(
        "When it is to end before its time: from its stop signal to SIGKILL for what is left of its process group.",
      ),
    stopSignal: oneOf(STOP_SIGNALS)
      .default("SIGTERM")
      .describe("Signal that asks it to end before its time, sent to its whole process group."),
    after: oneOrMore
      .optional()
      .describe(
        "Actions that a run of this one runs first, and that have to succeed: NAME, or SERVER:NAME. In a server a bare name is one of its own, or else one that stands alone.",
      ),
    retries: retriesInput.default(0).describe("How often it is tried again after it failed."),
    schedule: scheduleInput.optional().describe("When it runs by itself; a cron expression alone will do."),
    concurrency: oneOf(CONCURRENCY)
      .default("forbid")
      .describe(
        "While it runs: a second run is refused, `allow`ed beside it, or takes its place (`replace`).",
      ),
    description: z.string({ error: "write text in quotes" }).default("").describe("One line for people."),
    tags: z
      .array(text(), { error: "write a list of texts" })
      .default([])
      .describe("Words to find its jobs by."),
  },
  { error: "write a block that describes an action" },
);

export type FilledAction = z.output<typeof actionInput>;
