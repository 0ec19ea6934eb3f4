import type { RpcClient } from "../../rpc/client.ts";
import { connectNow, isComing } from "./find.ts";

/** Connects to the agent, and starts it if none runs. The code for that is loaded only then: usually one runs. */
export async function reachAgent(state: string): Promise<RpcClient> {
  return (await connectNow(state)) ?? (await import("./process.ts")).startedAgent(state);
}

/** Connects if an agent runs or its loop would restart it; one that keeps failing gets this xy's program. Else undefined. */
export async function mendedAgent(state: string): Promise<RpcClient | undefined> {
  return (await connectNow(state)) ?? (isComing(state) ? reachAgent(state) : undefined);
}
