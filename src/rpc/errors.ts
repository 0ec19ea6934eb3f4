import { BackendFailure } from "../model/unreachable.ts";

/** JSON-RPC 2.0's own error codes, and xy's. */
export const RPC_ERRORS = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  serverNotFound: -32001,
  portConflict: -32002,
  configurationInvalid: -32003,
  alreadyRunning: -32004,
  notRunning: -32005,
  spawnFailed: -32006,
  locked: -32007,
  jobNotFound: -32008,
  actionNotFound: -32009,
} as const;

/** `serverNotFound` → `server not found`. */
export function errorMeaning(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** An error on the wire. */
export class RpcError extends BackendFailure {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** How a refusal of wrong params begins. */
export const CANNOT_CALL = "cannot call";

/** An error for people: for an unknown method or param it names the way out. */
export function explained({ code, message, data }: RpcError): RpcError {
  if (code === RPC_ERRORS.methodNotFound)
    return new RpcError(
      code,
      `the running agent is an earlier version, which cannot do this; ${UPGRADE}`,
      data,
    );
  if (isUnknownParam({ code, message }))
    return new RpcError(code, `the running agent is another version (${message}); ${UPGRADE}`, data);
  return new RpcError(code, message, data);
}

/** The other side refused unknown params (one of `names`, if given) before it did anything. */
export function isUnknownParam(
  { code, message }: Pick<RpcError, "code" | "message">,
  names?: readonly string[],
): boolean {
  return (
    code === RPC_ERRORS.invalidParams &&
    message.includes(CANNOT_CALL) &&
    message.includes("Unrecognized key") &&
    (names === undefined || names.some((name) => message.includes(`"${name}"`)))
  );
}

const UPGRADE = "`xy agent upgrade` puts this one in its place";

/** An agent refused settings that it cannot carry out. */
export function notKnown(name: string, settings: readonly string[]): RpcError {
  const why = `the running agent is a version that does not know ${settings.join(", ")}`;
  return new RpcError(RPC_ERRORS.invalidParams, `cannot apply ${name}: ${why}; ${UPGRADE}`);
}
