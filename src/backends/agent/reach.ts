import type { RpcClient } from "../../rpc/client.ts";
import { connectNow, isComing } from "./find.ts";

/** A connection to the agent, which is started when none runs. How that is done is loaded only then: most find one. */
export async function reachAgent(state: string): Promise<RpcClient> {
  return (await connectNow(state)) ?? (await import("./process.ts")).startedAgent(state);
}

/** The same where one runs, or a loop would bring one back: whatever fails in it gets this xy's program. Else undefined. */
export async function mendedAgent(state: string): Promise<RpcClient | undefined> {
  return (await connectNow(state)) ?? (isComing(state) ? reachAgent(state) : undefined);
}
