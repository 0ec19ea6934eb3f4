import { z } from "zod";
import { duration, port, text, whole } from "./input-parts.ts";

/** Probes as a person may write them. */

const timing = {
  interval: duration.default("5s").describe("Time between two checks."),
  timeout: duration.default("2s").describe("A check that takes longer has failed."),
  startPeriod: duration
    .default("30s")
    .describe("Time after the start in which a failed check does not count."),
  failureThreshold: whole(1, 1000).default(3).describe("Failed checks in a row until the probe says no."),
  successThreshold: whole(1, 1000).default(1).describe("Good checks in a row until the probe says yes."),
};
/** Settings of a probe that is written as a bare word. */
export const PROBE_TIMING = z.strictObject(timing).parse({});
const noneProbe = z.strictObject({ type: z.literal("none") }).describe("No check.");
const tcpProbe = z
  .strictObject({
    type: z.literal("tcp").describe("Kind of check; `tcp` and `none` may be written as a bare word."),
    port: port.optional().describe("Port to look at; the server's own when left out."),
    ...timing,
  })
  .describe("Something listens on the port and belongs to this server.");
const regularExpression = text("write a regular expression in quotes").refine(isPattern, {
  error: "write a valid regular expression",
});
const logProbe = z
  .strictObject({
    type: z.literal("log"),
    pattern: regularExpression.describe(
      "Regular expression that a line of output matches. Required for `log`, which only readiness can use.",
    ),
    ...timing,
  })
  .describe("A line of output matches the pattern.");

function isPattern(value: string): boolean {
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}

const readinessError = 'write "tcp", "none", or a probe with the type "tcp", "log" or "none"';
export const readinessInput = z.union(
  [
    z.enum(["tcp", "none"]),
    z.discriminatedUnion("type", [tcpProbe, logProbe, noneProbe], { error: 'write "tcp", "log" or "none"' }),
  ],
  { error: readinessError },
);
export const livenessInput = z.union(
  [
    z.enum(["tcp", "none"]),
    z.discriminatedUnion("type", [tcpProbe, noneProbe], { error: 'write "tcp" or "none"' }),
  ],
  { error: 'write "tcp", "none", or a probe with the type "tcp" or "none"' },
);
