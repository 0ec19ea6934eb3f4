import { z } from "zod";

/** Progress of a start that others wait for, as on the wire. */
export const startProgress = z.object({
  waited_ms: z.int(),
  bound_ms: z.int().describe("The longest wait."),
  evidence: z.string().describe("What was last seen of what is waited for."),
  restarts: z.int().describe("Since the wait began."),
  last_failure: z.string().exactOptional().describe("How its last failed run ended, since the wait began."),
  last_line: z.string().exactOptional().describe("What it printed last."),
});
export type StartProgress = Readonly<z.output<typeof startProgress>>;
