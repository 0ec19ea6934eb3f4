import { z } from "zod";
import { processId } from "./spec-parts.ts";

/** The process of an `xy up`. */
export const session = processId;

/**
 * Who started a server. What a session (`xy up`) started stops with it, unless somebody else has started it since.
 * `operator`: a person's `xy start` or `xy restart`.
 */
export const starter = z.union([
  z.object({ by: z.literal("apply") }),
  z.object({ by: z.literal("operator") }),
  z.object({ by: z.literal("session"), session }),
]);
export type Starter = z.infer<typeof starter>;

/** Why a server that a session started is stopped. */
export const SESSION_OVER = "the `xy up` that started it has ended";

/** `started by` of a server, for people. */
export function formatStarter(started: Starter): string {
  switch (started.by) {
    case "apply":
      return "xy apply";
    case "operator":
      return "you, by hand";
    case "session":
      return `xy up (pid ${started.session.pid})`;
  }
}
