import { z } from "zod";
import { missing, observed, pauseTimes, timeNames, unixMs } from "../model/observed-schema.ts";
import { LONGEST_PATIENCE } from "../model/patience.ts";
import { CHANGE_ACTIONS, CONDITIONS, name, secretValues } from "../model/spec-parts.ts";
import { session } from "../model/starter.ts";
import { shortServer } from "./short-spec.ts";

/** The methods for making and carrying out plans. */

const project = name.optional();
const waitMs = z.int().min(0).max(LONGEST_PATIENCE).optional();

/** An agent reports its own servers, and no units. */
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
    /** Output of the last failed run, else of the newest one. */
    last_lines: z.array(z.string()),
    /** Settings that would help if the server itself is fine: a clause each. */
    help: z.array(z.string()).optional(),
    /** Another process holds a port that it needs. */
    port_conflict: z.literal(true).optional(),
    /** It starts automatically once these have changed; a server that was to be restarted keeps running as it was. */
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
      /** Required unless the action is `remove`. `command` is enough; the rest is filled in. */
      spec: shortServer.optional(),
      secrets: secretValues.default({}),
      /** Longest wait; 0: do not wait. Absent: as with `while_progress`, up to its start-timeout. */
      wait_ms: waitMs,
      /**
       * The wait is over, too, at the server's start-timeout, and after a minute without a sign of life: a line, use of
       * a processor, a new process. A changed server that ran has one minute, unless it declares a start-timeout.
       */
      while_progress: z.boolean().default(false),
      /** Report the start's progress by `apply_progress` notifications. */
      progress: z.boolean().default(false),
      /** What to wait for: its program runs, it is ready, or it has exited successfully. */
      until: z.enum(CONDITIONS).default("ready"),
      /** If it does not get there in time: restore the previous version of a changed server, leave a new one stopped. */
      rollback: z.boolean().default(true),
      /** For an update: only the names of paths differ, so the running process was started with this spec. */
      renamed: z.boolean().default(false),
      /** For a server that is added: it was held on the backend that it comes from. */
      held: z.boolean().default(false),
      /** The session that a stopped server is started for: when that process is gone, the server is stopped. */
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
      /** As in `apply`. */
      spec: shortServer,
      secrets: secretValues.default({}),
      wait_ms: waitMs,
      while_progress: z.boolean().default(false),
      progress: z.boolean().default(false),
      /** It was held on the backend that it comes from. */
      held: z.boolean().default(false),
    }),
    result: applied,
  },
} as const;
