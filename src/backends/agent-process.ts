import * as fs from "node:fs";
import type { RpcClient } from "../rpc/client.ts";
import { readText } from "../system/files.ts";
import { lockHolder } from "../system/lock.ts";
import { agentLockPath, agentLogPath, ensurePrivateDir } from "../system/paths.ts";
import { STATE_FOLDER, whyNotPrivate } from "../system/private-folder.ts";
import { AgentUnreachable, connectNow, isComing } from "./agent-find.ts";
import { type Loop, prepareLoop, startLoop } from "./agent-loop.ts";
import { startInstalled } from "./services.ts";

/** Starting the agent process of a state folder, where none runs. */

/** Longest wait for an agent to come up, ms. Taking up a thousand servers is part of it. */
const START_BOUND = 30_000;
const LOOK_GAP = 20;

/** A connection to the agent, which did not run a moment ago. Throws {@link AgentUnreachable}. */
export async function startedAgent(state: string): Promise<RpcClient> {
  const problem = whyNotPrivate(state, STATE_FOLDER);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  ensurePrivateDir(state);
  const logStart = sizeOf(agentLogPath(state));
  let loop: Pick<Loop, "failed"> | undefined;
  const until = Date.now() + START_BOUND;
  while (Date.now() < until) {
    // While somebody holds the lock an agent is coming up. It may also be one that is dying, for good: so look again.
    if (!loop && !lockHolder(agentLockPath(state)) && !isComing(state)) loop = await startAgent(state);
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
    const client = await connectNow(state);
    if (client) return client;
    if (loop?.failed) break;
  }
  throw new AgentUnreachable(`cannot start the agent: ${lastWords(state, logStart)}`);
}

/** By the service manager where it is installed there: then that goes on to keep it alive. */
async function startAgent(state: string): Promise<Pick<Loop, "failed">> {
  prepareLoop(state);
  return (await startInstalled(state, process.env)) ? { failed: false } : startLoop(state);
}

const sizeOf = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The last line that the agent's log has after that many bytes, or where to look. */
export function lastWords(state: string, from: number): string {
  const text = (readText(agentLogPath(state)) ?? "").slice(from).trim();
  // Each line of the log begins with its time.
  return (
    text
      .split("\n")
      .at(-1)
      ?.replace(/^\S+Z /, "") || `it does not answer; see ${agentLogPath(state)}`
  );
}
