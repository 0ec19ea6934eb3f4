import { z } from "zod";
import { become, keptObject, type Rows, writtenShape } from "./field.ts";
import { duration, oneOf, secretOnly, text, whole } from "./input-parts.ts";
import { formatDuration, milliseconds } from "./units.ts";

/**
 * The settings of an MCP server. Those but the path are of one that speaks over stdin and stdout, which xy's bridge serves
 * over HTTP: a record has them only where they say something else than the bridge's defaults, which are in
 * `bridge/options.ts`.
 */

const ROOTS = "leave out roots: those of one client would count for all";
const capability = text()
  .regex(/^[A-Za-z][A-Za-z0-9._/-]*$/, { error: 'write the name of a capability, such as "sampling"' })
  .refine((name) => name !== "roots", { error: ROOTS });
const ORIGIN = 'write an origin such as "https://app.example"';
const origin = text(ORIGIN).regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$/, { error: ORIGIN });
const HOST = "write a host name or address, without a port";
const hostName = text(HOST).regex(/^([A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?)$/, { error: HOST });

const listOf = <T extends z.ZodType>(one: T) =>
  z.array(one, { error: "write a list of texts" }).min(1, { error: "write at least one text, or remove it" });
const texts = z.array(z.string()).optional();

const same = <T>(written: T): T => written;
const unless =
  <T>(usual: T) =>
  (written: T | undefined): T | undefined =>
    written === usual ? undefined : written;

const ROWS = {
  path: {
    written: z
      .string({ error: 'write a path such as "/mcp"' })
      .startsWith("/", { error: 'write a path that begins with "/", such as "/mcp"' })
      .default("/mcp")
      .describe("Path of the endpoint."),
    kept: z.string(),
    becomes: same,
  },
  transport: {
    written: oneOf(["http", "stdio"])
      .default("http")
      .describe(
        "How the program speaks MCP. `stdio`: over its stdin and stdout; xy serves it over HTTP, on the server's port.",
      ),
    kept: z.literal("stdio").optional(),
    becomes: unless("http"),
  },
  share: {
    written: oneOf(["session", "all"])
      .optional()
      .describe("With stdio: a process for each client (`session`, the default), or one for all of them."),
    kept: z.literal("all").optional(),
    becomes: unless("session"),
  },
  start: {
    written: oneOf(["eager", "on-demand"])
      .optional()
      .describe(
        "With stdio: whether a process runs before a client needs it (`eager`, the default), or not (`on-demand`).",
      ),
    kept: z.literal("on-demand").optional(),
    becomes: unless("eager"),
  },
  idleStop: {
    written: duration
      .optional()
      .describe("With stdio: stop a process that was idle for this long; the next request starts it again."),
    kept: z.number().optional(),
    becomes: (written?: string) => (written === undefined ? undefined : milliseconds(written)),
  },
  maxSessions: {
    written: whole(1, 100_000).optional().describe("With stdio: most clients at a time; 100 by default."),
    kept: z.int().optional(),
    becomes: same,
  },
  maxChildren: {
    written: whole(1, 10_000)
      .optional()
      .describe(
        "With stdio: most processes at a time, 20 by default. The one that was idle longest makes room.",
      ),
    kept: z.int().optional(),
    becomes: same,
  },
  capabilities: {
    written: listOf(capability)
      .optional()
      .describe(
        "With stdio and one process for all clients: what that is told that clients can do, such as `sampling`. Nothing by default, and never `roots`.",
      ),
    kept: texts,
    becomes: same,
  },
  allowHosts: {
    written: listOf(hostName)
      .optional()
      .describe("With stdio: further names by which clients may reach this machine."),
    kept: texts,
    becomes: same,
  },
  allowOrigins: {
    written: listOf(origin)
      .optional()
      .describe("With stdio: web pages that may use the server, such as `https://app.example`."),
    kept: texts,
    becomes: same,
  },
  token: {
    written: secretOnly
      .optional()
      .describe("With stdio: a reference to a secret that clients must send as a bearer token."),
  },
} satisfies Rows;

export const mcpInput = z
  .union([z.literal(true), z.strictObject(writtenShape(ROWS))], {
    error: "write true, or a block with its settings",
  })
  .optional()
  .describe("Marks an MCP server: its URL is `http://host:port/path`.");
export const mcpKept = keptObject(ROWS).nullable();

type McpInput = z.output<typeof mcpInput>;
export type Mcp = z.output<typeof mcpKept>;
export type StdioMcp = NonNullable<Mcp> & { readonly transport: "stdio" };

export function mcpOf(written: McpInput): Mcp {
  if (written === undefined) return null;
  return written === true ? { path: "/mcp" } : (become(ROWS, written, undefined as never) as Mcp);
}

/** Otherwise its program speaks HTTP itself, or no MCP at all. */
export const isStdio = (mcp: Mcp): mcp is StdioMcp => mcp?.transport === "stdio";

/** What may be said of a server over stdin and stdout only. */
export const STDIO_KEYS = Object.keys(ROWS).filter(
  (key): key is Exclude<keyof typeof ROWS, "path" | "transport"> => key !== "path" && key !== "transport",
);

/** What is written of a server over stdin and stdout; undefined of any other. */
export function stdioInput(written: McpInput): Exclude<McpInput, true | undefined> | undefined {
  return typeof written === "object" && written.transport === "stdio" ? written : undefined;
}

/** How a value in its block is shown to people. */
export const shownOfMcp = (value: unknown, setting: string) =>
  setting === "idleStop" && typeof value === "number" ? formatDuration(value) : undefined;
