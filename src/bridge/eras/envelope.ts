import type { IncomingHttpHeaders } from "node:http";
import { isObject } from "../../model/object.ts";
import type { Message } from "../message.ts";
import { VERSIONS } from "../versions.ts";

/** What goes with each message of the version without sessions: in `_meta`, and once more in headers. */

export const MODERN = "2026-07-28";

const META = "io.modelcontextprotocol";
export const KEY = {
  version: `${META}/protocolVersion`,
  client: `${META}/clientInfo`,
  capabilities: `${META}/clientCapabilities`,
  level: `${META}/logLevel`,
  server: `${META}/serverInfo`,
  subscription: `${META}/subscriptionId`,
} as const;

type Params = Readonly<Record<string, unknown>>;
type Request = Extract<Message, { kind: "request" }>;

export function metaOf({ _meta }: Params): Params {
  return isObject(_meta) ? _meta : {};
}

/** Whether a message that came over HTTP is of that version, or wants to be. */
export function isModern(headers: IncomingHttpHeaders, message: Message): boolean {
  if (headers["mcp-protocol-version"] === MODERN) return true;
  if (message.kind === "response") return false;
  const claimed = metaOf(message.params)[KEY.version];
  if (message.kind === "request" && message.method === "server/discover") return true;
  return typeof claimed === "string" && !VERSIONS.includes(claimed);
}

/** The field of a request that `Mcp-Name` has to say. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
]);

/** What of the headers is not as the body says, or missing; undefined: nothing. */
export function mismatch(headers: IncomingHttpHeaders, { method, params }: Request): string | undefined {
  const version = metaOf(params)[KEY.version];
  const field = NAMED.get(method);
  const wanted = [
    ["MCP-Protocol-Version", version],
    ["Mcp-Method", method],
    ["Mcp-Name", field === undefined ? undefined : params[field]],
  ] as const;
  for (const [name, value] of wanted) {
    if (typeof value !== "string") continue;
    const given = headers[name.toLowerCase()]?.toString().trim();
    if (given === undefined) return `the header ${name} is missing; the message says ${value.slice(0, 100)}`;
    if (decoded(given) !== value)
      return `the header ${name} says ${given.slice(0, 100)}, the message ${value.slice(0, 100)}`;
  }
  return undefined;
}

/** What cannot stand in a header is written in base64. */
function decoded(value: string): string {
  const inside = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value)?.[1];
  return inside === undefined ? value : Buffer.from(inside, "base64").toString("utf8");
}

/** What the envelope of a request lacks; undefined: nothing. */
export function missing({ params }: Request): string | undefined {
  const meta = metaOf(params);
  if (typeof meta[KEY.version] !== "string") return KEY.version;
  return isObject(meta[KEY.capabilities]) ? undefined : KEY.capabilities;
}

/** The envelope of a request. `level`: what the client wants to hear of the log. */
export function envelope(
  client: unknown,
  capabilities: unknown,
  level?: string,
): Readonly<Record<string, unknown>> {
  return {
    [KEY.version]: MODERN,
    [KEY.client]: client,
    [KEY.capabilities]: capabilities,
    [KEY.level]: level,
  };
}

/** News of lists, by the field of a request that asks for them. */
export const LIST_NEWS = {
  toolsListChanged: "tools",
  promptsListChanged: "prompts",
  resourcesListChanged: "resources",
} as const;

/** The fields of those that are wanted. */
export function listNews(isWanted: (field: string, kind: string) => boolean): Readonly<Record<string, true>> {
  const fields = Object.entries(LIST_NEWS).filter(([field, kind]) => isWanted(field, kind));
  return Object.fromEntries(fields.map(([field]) => [field, true]));
}
