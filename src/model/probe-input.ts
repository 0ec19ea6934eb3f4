import { z } from "zod";
import { duration, port, text, textList, whole } from "./input-parts.ts";

/** Probes as a person may write them. */

const MCP_TIMEOUT =
  "A check that takes longer has failed. An MCP exchange gets 10s, every other check 2s. Where the server keeps no session, each request of an exchange has this time.";
const timing = {
  interval: duration.default("5s").describe("Time between two checks."),
  timeout: duration.default("2s").describe("A check that takes longer has failed."),
  startPeriod: duration
    .default("30s")
    .describe(
      "Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once.",
    ),
  failureThreshold: whole(1, 1000).default(3).describe("Failed checks in a row until the probe says no."),
  successThreshold: whole(1, 1000).default(1).describe("Good checks in a row until the probe says yes."),
};
/** An exchange of several messages, with a server that may start a program for each, takes longer than a look at a port. */
const mcpTiming = { ...timing, timeout: duration.default("10s").describe(MCP_TIMEOUT) };
const path = z
  .string({ error: 'write a path such as "/health"' })
  .regex(/^\/[!-~]*$/, { error: 'write a path that begins with "/", without spaces, such as "/health"' });
const statusCode = whole(100, 599);
const noneProbe = z.strictObject({ type: z.literal("none") }).describe("No check.");
const otherPort = port.optional().describe("Port to look at; the server's own when left out.");
const tcpProbe = z
  .strictObject({
    type: z.literal("tcp").describe("Kind of check; `mcp`, `tcp` and `none` may be written as a bare word."),
    port: otherPort,
    ...timing,
  })
  .describe("Something listens on the port and belongs to this server.");
const httpProbe = z
  .strictObject({
    type: z.literal("http"),
    path: path.default("/").describe("Path that is asked for."),
    status: z
      .union([statusCode, z.array(statusCode).min(1, { error: "write at least one code" })], {
        error: "write a status code such as 200, or a list of them",
      })
      .optional()
      .describe("Status codes that are good; any from 200 to 299 when left out. No redirect is followed."),
    port: otherPort,
    ...timing,
  })
  .describe("It listens on the port, and answers a GET with a good status code.");
const mcpProbe = z
  .strictObject({
    type: z.literal("mcp"),
    path: path.optional().describe("Path of the MCP endpoint; that of `mcp`, or `/mcp`, when left out."),
    port: otherPort,
    ...mcpTiming,
  })
  .describe("It listens on the port, and an MCP exchange succeeds: it is opened, and the tools are listed.");
const commandProbe = z
  .strictObject({
    type: z.literal("command"),
    command: text("write the program to run").describe(
      "Program whose exit code 0 is good. It is found as the server's own is, and gets its environment and folder.",
    ),
    args: textList.default([]).describe("Its arguments; `{port}` and its like are filled in."),
    ...timing,
  })
  .describe("A program ends with exit code 0.");
const regularExpression = text("write a regular expression in quotes");
const logProbe = z
  .strictObject({
    type: z.literal("log"),
    pattern: regularExpression.describe(
      "Regular expression that a line of output matches. Required for `log`, which only readiness can use.",
    ),
    ...timing,
  })
  .describe("A line of output matches the pattern.");

const WORDS = ["mcp", "tcp", "none"] as const;
const everywhere = [tcpProbe, httpProbe, mcpProbe, commandProbe, noneProbe] as const;

export const readinessInput = z.union(
  [
    z.enum(WORDS),
    z.discriminatedUnion("type", [...everywhere, logProbe], {
      error: 'write "mcp", "http", "tcp", "command", "log" or "none"',
    }),
  ],
  {
    error:
      'write "mcp", "tcp", "none", or a probe with the type "mcp", "http", "tcp", "command", "log" or "none"',
  },
);
export const livenessInput = z.union(
  [
    z.enum(WORDS),
    z.discriminatedUnion("type", everywhere, { error: 'write "mcp", "http", "tcp", "command" or "none"' }),
  ],
  { error: 'write "mcp", "tcp", "none", or a probe with the type "mcp", "http", "tcp", "command" or "none"' },
);

/** A probe that was written as a bare word, with its settings. */
export function probeOfWord(word: (typeof WORDS)[number]): z.output<(typeof everywhere)[number]> {
  return { none: noneProbe, tcp: tcpProbe, mcp: mcpProbe }[word].parse({ type: word });
}
