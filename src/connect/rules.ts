import type { Message } from "../bridge/message.ts";
import { isObject } from "../model/object.ts";

/** What a message on stdin becomes as a request over HTTP, and what may be sent twice. */

export const SESSION_HEADER = "Mcp-Session-Id";
const VERSION_HEADER = "MCP-Protocol-Version";
/** In the params of each request of a version without sessions. */
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** Which param a header repeats, so that proxies need not read the body. */
const NAMES: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/** What was agreed on when a client introduced itself. */
export interface Agreed {
  readonly session?: string | undefined;
  readonly version?: string | undefined;
}

/** The version that a request itself is of; undefined: that of its session. */
export function ownVersion(message: Message): string | undefined {
  if (message.kind === "response") return undefined;
  const { _meta } = message.params;
  const version = isObject(_meta) ? _meta[VERSION_KEY] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** The headers of MCP for a message. */
export function headersOf(message: Message, { session, version }: Agreed): Record<string, string> {
  const own = ownVersion(message);
  if (own !== undefined && message.kind !== "response") {
    const name = NAMES[message.method];
    const named = name === undefined ? undefined : message.params[name];
    return {
      [VERSION_HEADER]: own,
      "Mcp-Method": inHeader(message.method),
      ...(typeof named === "string" ? { "Mcp-Name": inHeader(named) } : {}),
    };
  }
  if (message.kind === "request" && message.method === "initialize") return {};
  return agreedHeaders({ session, version });
}

export function agreedHeaders({ session, version }: Agreed): Record<string, string> {
  return {
    ...(session === undefined ? {} : { [SESSION_HEADER]: session }),
    ...(version === undefined ? {} : { [VERSION_HEADER]: version }),
  };
}

/** Text as a header can carry it: what is not plain ASCII, or looks encoded, is encoded. */
export function inHeader(text: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/i.test(text);
  return isPlain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

/** They ask, and change nothing: after a connection that broke, they are sent again. */
const ASKING = new Set([
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);

export const isRepeatable = (method: string): boolean => ASKING.has(method);

/** Whether an answer says that the server does not know the session, which is what one that was restarted says. */
export function isUnknownSession(status: number, body: string): boolean {
  if (status !== 404 && status !== 400) return false;
  const error = errorIn(body);
  // Versions without sessions say so of a method.
  if (status === 404) return error?.code !== -32601;
  return error !== undefined && /session/i.test(error.message);
}

interface RpcFault {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The error of a JSON-RPC answer. */
export function errorIn(body: string): RpcFault | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const error = isObject(value) ? value.error : undefined;
  if (!isObject(error) || typeof error.code !== "number" || typeof error.message !== "string")
    return undefined;
  const { code, message, data } = error;
  return { code, message, data };
}
