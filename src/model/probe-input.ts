import { z } from "zod";
import { duration, pathText, port, text, textList, whole } from "./input-parts.ts";

/** Probes as a person may write them. */

const OWNERS = ["own", "any"] as const;
export type Owner = (typeof OWNERS)[number];

const MCP_TIMEOUT =
  "A check that takes longer fails. Defaults to 10s for an MCP exchange, 2s for any other check. If the server keeps no session, each request of an exchange has this time.";
const timing = {
  interval: duration.default("5s").describe("Time between two checks."),
  timeout: duration.default("2s").describe("A check that takes longer fails."),
  startPeriod: duration
    .default("30s")
    .describe(
      "Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready.",
    ),
  failureThreshold: whole(1, 1000).default(3).describe("Failed checks in a row until the probe fails."),
  successThreshold: whole(1, 1000)
    .default(1)
    .describe("Successful checks in a row until the probe succeeds."),
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
    "Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`.",
  );
const otherPort = port.optional().describe("Port to check; defaults to the server's own.");
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
    path: path.optional().meta({ description: "Path to request.", default: "/" }),
    status: z
      .union([statusCode, z.array(statusCode).min(1, { error: "write at least one code" })], {
        error: "write a status code such as 200, or a list of them",
      })
      .optional()
      .describe(
        "Status codes that count as success; defaults to any from 200 to 299. Redirects are not followed.",
      ),
    url: text('write a URL such as "http://127.0.0.1:8765/health"')
      .optional()
      .describe(
        "Requested instead of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. If it is not the server's own address, any program may listen there.",
      ),
    allowRemote: z
      .boolean({ error: "write true or false" })
      .default(false)
      .describe("Whether `url` may lead to another machine."),
    port: otherPort,
    owner,
    ...timing,
  })
  .describe("It listens on the port and answers a GET with a successful status code.");
const mcpProbe = z
  .strictObject({
    type: z.literal("mcp"),
    path: path.optional().describe("Path of the MCP endpoint; defaults to the path in `mcp`, or `/mcp`."),
    port: otherPort,
    owner,
    ...mcpTiming,
  })
  .describe("It listens on the port, and an MCP exchange succeeds: open a session, list the tools.");
const commandProbe = z
  .strictObject({
    type: z.literal("command"),
    command: pathText("program", "write the program to run").describe(
      "Program that exits with 0 on success. It is looked up like the server's own, and runs in the server's environment and folder.",
    ),
    args: textList.default([]).describe("Its arguments; templates such as `{port}` are filled in."),
    ...timing,
  })
  .describe("A program exits with code 0.");
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
        "Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the default kind of check.",
      ),
    port: otherPort,
    owner,
    interval: leftOut(timing.interval),
    timeout: leftOut(timing.timeout),
    startPeriod: leftOut(timing.startPeriod),
    failureThreshold: leftOut(timing.failureThreshold),
    successThreshold: leftOut(timing.successThreshold),
  })
  .describe("The default kind of check, with other settings. `type` may be left out.");

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
