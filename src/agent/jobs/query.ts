import type { ParsedParams } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { JobQuery } from "./book.ts";

/** Which jobs are meant. A server and an action may be said by either of two names. */
export function jobQueryOf(params: ParsedParams<"job_list">): JobQuery {
  const { server, service_id, action, action_id, ...query } = params;
  return {
    ...query,
    server: either("server", server, "service_id", service_id),
    action: either("action", action, "action_id", action_id),
  };
}

function either(key: string, value: string | undefined, other: string, same: string | undefined) {
  if (value === undefined || same === undefined || value === same) return value ?? same;
  const message = `cannot list jobs: ${key} is ${value}, and ${other}, which means the same, is ${same}; name only one of them`;
  throw new RpcError(RPC_ERRORS.invalidParams, message);
}
