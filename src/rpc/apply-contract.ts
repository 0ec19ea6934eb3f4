import { z } from "zod";
import { missing, observed, pauseTimes, timeNames, unixMs } from "../model/observed-schema.ts";
import { LONGEST_PATIENCE } from "../model/patience.ts";
import { CHANGE_ACTIONS, CONDITIONS, name, secretValues } from "../model/spec-parts.ts";
import { session } from "../model/starter.ts";
import { shortServer } from "./short-spec.ts";

/** The methods that a plan is made and carried out with. */

const project = name.optional();
const waitMs = z.int().min(0).max(LONGEST_PATIENCE).optional();

/** An agent tells of its own servers, and of no units. */
const observedByAgent = observed.omit({ unsettled: true, neverReady: true }).extend({
  backend: z.literal("agent"),
  restartCount: z.int(),
  startedAt: unixMs.exactOptional().describe("Old name of `started_at_unix_ms`; it goes with 1.0."),
  nextStartAt: unixMs.exactOptional().describe("Old name of `next_start_at_unix_ms`; it goes with 1.0."),
  ...timeNames.shape,
  paused: observed.shape.paused
    .unwrap()
    .extend({
      at: unixMs.describe("Old name of `at_unix_ms`; it goes with 1.0."),
      until: unixMs.exactOptional().describe("Old name of `until_unix_ms`; it goes with 1.0."),
      ...pauseTimes.partial().shape,
    })
    .exactOptional(),
});

const applied = z.union([
  z.object({ ok: z.literal(true), detail: z.string(), waits_for: z.array(missing).optional() }),
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
    waits_for: z.array(missing).optional(),
  }),
]);

export const applyContract = {
  observe: {
    reads: true,
    summary: "Every recorded server of a project, as it is now: what a plan is compared with",
    params: z.strictObject({ project, name: name.optional() }),
    result: z.array(observedByAgent),
  },
  apply: {
    reads: false,
    summary: "Carry out one change of a plan, and wait until the server is ready",
    params: z.strictObject({
      project: name,
      server: name,
      action: z.enum(CHANGE_ACTIONS),
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
      "Add a server that no configuration declares, and wait until it is ready. It is `kept`: no plan removes it until a configuration declares a server with its name. If it is already kept with the same `spec`, it is only started",
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
} as const;
