import { z } from "zod";
import { unixMs } from "../model/observed-schema.ts";
import { startProgress } from "../model/start-progress.ts";
import { STATES } from "../model/states.ts";

/** What the agent sends without a request each time: lines of a log subscription, and the progress of a start. */

const subscription_id = z.int().describe("As `logs` answered.");
const missed = z
  .int()
  .exactOptional()
  .describe(
    "Number of lines before this one that are not sent: they were read too slowly and are too many or no longer kept, or they could not be written to the log.",
  );

export const notifications = {
  log: {
    summary: "One line of a server's output",
    params: z.object({
      subscription_id,
      name: z.string(),
      stream: z.enum(["stdout", "stderr"]),
      line: z.string().describe("Without its line break; bytes that are not UTF-8 are replaced."),
      ts_unix_ms: unixMs,
      missed,
      split: z
        .literal(true)
        .exactOptional()
        .describe("The line is longer than 64 KiB and goes on in the next one."),
    }),
  },
  transition: {
    summary: "A change of a server's state, if `transitions` was set",
    params: z.object({
      subscription_id,
      name: z.string(),
      from: z.enum(STATES),
      to: z.enum(STATES),
      reason: z.string().exactOptional(),
      at_unix_ms: unixMs,
    }),
  },
  apply_progress: {
    summary:
      "Progress of a start that an `apply` with `progress` waits for: when something changes, and every 5 s",
    params: z.object({
      project: z.string(),
      name: z.string(),
      ...startProgress.shape,
    }),
  },
  log_end: {
    summary: "The last notification of a subscription",
    params: z.object({ subscription_id, missed }),
  },
} as const;

/** Params of the notifications, by method. */
export type Notifications = {
  [N in keyof typeof notifications]: z.output<(typeof notifications)[N]["params"]>;
};
