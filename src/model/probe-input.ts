import { z } from "zod";
import { duration, pathText, port, text, textList, whole } from "./input-parts.ts";

/** Probes as a person may write them. */

const OWNERS = ["own", "any"] as const;
export type Owner = (typeof OWNERS)[number];

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
const owner = z
  .enum(OWNERS, { error: 'write "own" or "any"' })
  .optional()
  .describe(
    "Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`.",
  );
const otherPort = port.optional().describe("Port to look at; the server's own when left out.");
const tcpProbe = z
  .strictObject({
    type: z.literal("tcp").describe("Kind of check; `mcp`, `tcp` and `none` may be written as a bare word."),
    port: otherPort,
    owner,
    ...timing,
  })
  .describe("Something listens on the port and belongs to this server.");
const httpProbe = z
  .strictObject({
    type: z.literal("http"),
    path: path.optional().meta({ description: "Path that is asked for.", default: "/" }),
    status: z
      .union([statusCode, z.array(statusCode).min(1, { error: "write at least one code" })], {
        error: "write a status code such as 200, or a list of them",
      })
      .optional()
      .describe("Status codes that are good; any from 200 to 299 when left out. No redirect is followed."),
    url: text('write a URL such as "http://127.0.0.1:8765/health"')
      .optional()
      .describe(
        "Asked for in place of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. Where it is not the server's own address, whoever listens there counts.",
      ),
    allowRemote: z
      .boolean({ error: "write true or false" })
      .default(false)
      .describe("Whether `url` may lead to another machine."),
    port: otherPort,
    owner,
    ...timing,
  })
  .describe("It listens on the port, and answers a GET with a good status code.");
const mcpProbe = z
  .strictObject({
    type: z.literal("mcp"),
    path: path.optional().describe("Path of the MCP endpoint; that of `mcp`, or `/mcp`, when left out."),
    port: otherPort,
    owner,
    ...mcpTiming,
  })
  .describe("It listens on the port, and an MCP exchange succeeds: it is opened, and the tools are listed.");
const commandProbe = z
  .strictObject({
    type: z.literal("command"),
    command: pathText("program", "write the program to run").describe(
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

/** Its default depends on what the kind is. */
const leftOut = <T extends z.ZodType>(setting: z.ZodDefault<T>) =>
  setting
    .unwrap()
    .optional()
    .meta({ description: setting.description ?? "", default: setting.parse(undefined) });

/** The kind of check that the server has anyway, with these settings in place of its own. */
const usualProbe = z
  .strictObject({
    type: z
      .literal("default")
      .optional()
      .describe(
        "Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the kind that it has when nothing is said.",
      ),
    port: otherPort,
    owner,
    interval: leftOut(timing.interval),
    timeout: leftOut(timing.timeout),
    startPeriod: leftOut(timing.startPeriod),
    failureThreshold: leftOut(timing.failureThreshold),
    successThreshold: leftOut(timing.successThreshold),
  })
  .describe(
    "The kind of check that it has when nothing is said, with other settings. `type` may be left out.",
  );

const WORDS = ["mcp", "tcp", "none"] as const;
const everywhere = [usualProbe, tcpProbe, httpProbe, mcpProbe, commandProbe, noneProbe] as const;

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

/** A probe that was written as a bare word, or with settings alone. */
export function probeOfWord(
  word: (typeof WORDS)[number],
  settings: z.output<typeof usualProbe> = {},
): z.output<typeof tcpProbe | typeof mcpProbe | typeof noneProbe> {
  if (word === "none") return { type: "none" };
  return { tcp: tcpProbe, mcp: mcpProbe }[word].parse({ ...settings, type: word });
}

/** What one of a server's checks says of whose listener counts; the other says the same unless it says otherwise. */
export function ownerSaid(...probes: readonly (z.output<typeof readinessInput> | undefined)[]): Owner {
  const said = probes.map((probe) => typeof probe === "object" && "owner" in probe && probe.owner);
  return said.includes("any") ? "any" : "own";
}

type WrittenProbe = Exclude<z.output<typeof readinessInput>, string>;

/** It names no kind. */
export const isUsual = (probe: WrittenProbe): probe is z.output<typeof usualProbe> =>
  probe.type === undefined || probe.type === "default";

/** The kind that somebody has named. */
export function typeOfProbe(probe: z.output<typeof readinessInput> | undefined): string | undefined {
  const type = typeof probe === "object" ? probe.type : probe;
  return type === "default" ? undefined : type;
}
