import type { RpcClient } from "../rpc/client.ts";
import { connectNow } from "./agent-find.ts";

/** A connection to the agent, which is started when none runs. How that is done is loaded only then: most find one. */
export async function reachAgent(state: string): Promise<RpcClient> {
  return (await connectNow(state)) ?? (await import("./agent-process.ts")).startedAgent(state);
}
