import { isObject } from "../model/object.ts";
/** JSON-RPC messages as they pass: read for what has to be known of them, and otherwise left as they were written. */

export type Id = string | number;

export type Message =
  | { readonly kind: "request"; readonly id: Id; readonly method: string; readonly params: Params }
  | { readonly kind: "notification"; readonly method: string; readonly params: Params }
  | { readonly kind: "response"; readonly id: Id };

type Params = Readonly<Record<string, unknown>>;

/** Not a message; `id`: of the request that it may have been meant as. */
export interface NoMessage {
  readonly kind: "none";
  readonly code: number;
  readonly why: string;
  readonly id: Id | null;
}

export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** What the official servers say where no code of JSON-RPC fits. */
  refused: -32000,
  /** Headers are not as the message says. */
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Reads one message. What is sent on is checked here: children drop a message of a wrong shape without an answer. */
export function readMessage(text: string): Message | NoMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "none", code: RPC.parseError, why: "cannot read the message: it is not JSON", id: null };
  }
  if (Array.isArray(value)) return bad("cannot take a batch: send one message at a time");
  if (!isObject(value)) return bad("cannot read the message: it is no object");
  const { jsonrpc, id, method, params } = value;
  const known = isId(id) ? id : null;
  if (jsonrpc !== "2.0") return bad('cannot read the message: it has no "jsonrpc": "2.0"', known);
  if (id !== undefined && known === null)
    return bad("cannot read the message: its id is neither text nor a number");
  if (method === undefined && known !== null && ("result" in value || "error" in value))
    return { kind: "response", id: known };
  if (typeof method !== "string") return bad("cannot read the message: it has no method", known);
  if (params !== undefined && !isObject(params))
    return bad("cannot read the message: its params are no object", known);
  const all = params ?? {};
  return known === null
    ? { kind: "notification", method, params: all }
    : { kind: "request", id: known, method, params: all };
}

const bad = (why: string, id: Id | null = null): NoMessage => ({
  kind: "none",
  code: RPC.invalidRequest,
  why,
  id,
});

function isId(value: unknown): value is Id {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

/** The token under which a request wants to hear how far it is. */
export function progressToken({ _meta }: Params): Id | undefined {
  const token = isObject(_meta) ? _meta.progressToken : undefined;
  return isId(token) ? token : undefined;
}

/** A request is done, and there is nothing to say of it. */
export function doneText(id: Id): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: {} });
}

/** `data`, as params below, is left out when it is undefined. */
export function errorText(id: Id | null, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, data } });
}

export function notificationText(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

export function requestText(id: Id, method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}
