import { realpathSync } from "node:fs";
import { RpcClient } from "../../rpc/client.ts";
import { readJson } from "../../system/files.ts";
import { type LockAttempt, tryLock } from "../../system/lock.ts";
import { agentLockPath, agentRecordPath } from "../../system/paths.ts";
import { whyNotConnect } from "../../system/private-folder.ts";

/** Longest wait for another agent to give way, ms: it takes in what its servers have printed first. */
const BOUND = 20_000;
/** Between two looks at its lock, ms. */
const GAP = 10;

/**
 * Takes the agent's lock. With `takeOver` an agent that has it is asked to leave its servers and end; otherwise, and
 * when it does not within the bound, the attempt says who has it.
 */
export async function takeLock(state: string, takeOver: boolean): Promise<LockAttempt> {
  const path = agentLockPath(state);
  let attempt = tryLock(path);
  const until = Date.now() + BOUND;
  let asked: number | undefined;
  while (takeOver && !attempt.held && Date.now() < until) {
    // Once for each that may have come in between.
    if (asked !== attempt.by.pid && (await askToLeave(state))) asked = attempt.by.pid;
    await new Promise((resolve) => setTimeout(resolve, GAP));
    attempt = tryLock(path);
  }
  return attempt;
}

/** False if the other agent cannot be asked yet, or an apply is under way. The wait for its answer has a bound. */
async function askToLeave(state: string): Promise<boolean> {
  let client: RpcClient | undefined;
  try {
    const { socket } = readJson(agentRecordPath(state)) as { socket: string };
    if (whyNotConnect(state, socket) !== undefined) return false;
    client = await RpcClient.connect(socket);
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, BOUND, true).unref());
    return await Promise.race([ask(client, state), late]);
  } catch {
    return false;
  } finally {
    client?.close();
  }
}

async function ask(client: RpcClient, state: string): Promise<boolean> {
  const { state_dir } = await client.call("agent_info", {});
  // A path in the runtime folder may have become that of another state folder's agent.
  if (realpathSync(state_dir) !== realpathSync(state)) return false;
  await client.call("agent_shutdown", { keep_servers: true, replaced: true });
  return true;
}
