import { isObject } from "../model/object.ts";
export type RpcResult = Readonly<Record<string, unknown>>;

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a message means as the answer to one request. */
export type RpcAnswer =
  | { readonly kind: "result"; readonly result: RpcResult }
  | { readonly kind: "error"; readonly error: JsonRpcError }
  /** The answer to another request. */
  | { readonly kind: "stranger" }
  /** A notification, or a request from the server; `json` false: not even JSON. */
  | { readonly kind: "other"; readonly json: boolean };

/**
 * Reads one message, or a batch, and looks for the answer to the request `asked`. An error without an id counts: the
 * server may have failed before it read the id. Written by hand, because a server may send a hundred thousand messages.
 */
export function readAnswer(text: string, asked: number): RpcAnswer {
  const parsed = parse(text);
  if (parsed === undefined) return { kind: "other", json: false };
  if (!Array.isArray(parsed.value)) return readOne(parsed.value, asked);
  const answers = parsed.value.map((one) => readOne(one, asked));
  const ours = answers.find(({ kind }) => kind === "result" || kind === "error");
  return ours ?? answers.find(({ kind }) => kind === "stranger") ?? { kind: "other", json: true };
}

function readOne(message: unknown, asked: number): RpcAnswer {
  if (!isObject(message) || message.jsonrpc !== "2.0") return { kind: "other", json: true };
  const { id, result, error } = message;
  if (isObject(result)) return id === asked ? { kind: "result", result } : { kind: "stranger" };
  if (!isObject(error)) return { kind: "other", json: true };
  if (id !== asked && id !== null && id !== undefined) return { kind: "stranger" };
  const { code, message: said, data } = error;
  return {
    kind: "error",
    error: {
      code: typeof code === "number" ? code : 0,
      message: typeof said === "string" ? said : "",
      data,
    },
  };
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
