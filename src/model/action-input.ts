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
        .describe("IANA time zone; defaults to that of the machine that applies."),
      missed: oneOf(MISSED)
        .default("once")
        .describe(
          "When the machine slept or no agent ran at one or more of its times: run it `once` afterwards, or `skip` them.",
        ),
    }),
  ],
  { error: "write a cron expression, or a block with cron, time-zone and missed" },
);

const retriesInput = z.union(
  [
    whole(0, 100),
    z.strictObject({
      max: whole(0, 100).describe("How often it is retried after a failure."),
      backoffInitial: duration
        .default("1s")
        .describe("Delay before the second attempt; doubled for each further one."),
      backoffMax: duration.default("30s").describe("Longest delay before an attempt."),
    }),
  ],
  { error: "write a number, or a block with max, backoff-initial and backoff-max" },
);

/** With no time at all, it could only fail. */
const someTime = duration.refine((value) => parseDuration(value) !== 0, {
  error: 'write a longer time, or "none"',
});

export const actionInput = z.strictObject(
  {
    command: pathText("program", "write the program to run")
      .optional()
      .describe("The program, looked up like a server's. Either this or `script` is required."),
    script: text("write the text of the script")
      .optional()
      .describe("Text of a script. Templates are not filled in: use environment variables instead."),
    interpreter: oneOrMoreOf(pathText("program"))
      .optional()
      .describe(
        "Program that runs the script, with its arguments; defaults to what the script's first line (`#!…`) names.",
      ),
    args: textList
      .default([])
      .describe("Arguments of the command or the script; templates are filled in as for a server."),
    env: envInput
      .default({})
      .describe("Environment variables, added to its server's, or to those that everything gets."),
    workingDir: pathText("file", "write a path")
      .optional()
      .describe("Folder it runs in; defaults to its server's, or the home folder."),
    umask: umaskInput
      .optional()
      .describe("Permissions that new files do not get, in octal; defaults to its server's, or `022`."),
    timeout: z
      .union([someTime, z.literal("none")], { error: 'write a duration such as "5m", or "none"' })
      .default("1h")
      .describe("Longest run; after that it is stopped and counts as failed. `none`: no limit."),
    grace: duration
      .default("10s")
      .describe(
        "When it is stopped early: time between its stop signal and SIGKILL for the rest of its process group.",
      ),
    stopSignal: oneOf(STOP_SIGNALS)
      .default("SIGTERM")
      .describe("Signal that stops it early, sent to its whole process group."),
    after: oneOrMore
      .optional()
      .describe(
        "Actions to run before this one, which must succeed: NAME, or SERVER:NAME. Within a server, a bare name is one of its own actions, or else one that belongs to no server.",
      ),
    retries: retriesInput.default(0).describe("How often it is retried after a failure."),
    schedule: scheduleInput
      .optional()
      .describe("When it runs automatically; a cron expression alone is enough."),
    concurrency: oneOf(CONCURRENCY)
      .default("forbid")
      .describe(
        "What happens to a second run while it runs: refused (`forbid`), `allow`ed beside it, or takes its place (`replace`).",
      ),
    description: z.string({ error: "write text in quotes" }).default("").describe("One-line description."),
    tags: z
      .array(text(), { error: "write a list of texts" })
      .default([])
      .describe("Words that select its jobs."),
  },
  { error: "write a block that describes an action" },
);

export type FilledAction = z.output<typeof actionInput>;
