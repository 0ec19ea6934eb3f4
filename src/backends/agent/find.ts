import * as fs from "node:fs";
import type { ProcessId } from "../../model/process.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { ConnectionLost, RpcClient } from "../../rpc/client.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import { isCode, readJson } from "../../system/files.ts";
import { livingLoop, wakeLoop } from "../../system/loop.ts";
import { agentLogPath, agentRecordPath } from "../../system/paths.ts";
import { whyNotConnect } from "../../system/private-folder.ts";

/** Finding the agent of a state folder, if one runs. */

/** The agent cannot be reached; the message says why and what to do. */
export class AgentUnreachable extends BackendUnreachable {}

/** The agent keeps failing, and its loop keeps restarting it. */
export class AgentFailing extends AgentUnreachable {
  constructor(state: string) {
    super(
      `cannot reach the agent: it keeps failing to start (${agentLogPath(state)} has the reason); \`xy agent start\` replaces it with this version`,
    );
  }
}

const LOOK_GAP = 20;
/** Longest wait for an agent that is being replaced or restarted, by a caller that does not start one itself, ms. */
const GAP_BOUND = 10_000;

/** Pause between two signals that tell a loop that its agent is needed, ms. */
const WAKE_GAP = 1000;

/**
 * A connection to the running agent; undefined if none runs. While one is being replaced, this waits for its successor.
 * Throws {@link AgentFailing} if that does not come.
 */
export async function findAgent(state: string): Promise<RpcClient | undefined> {
  const until = Date.now() + GAP_BOUND;
  const wake = waker(state);
  for (;;) {
    const client = await connectNow(state);
    if (client || !isComing(state)) return client;
    if (Date.now() > until) throw new AgentFailing(state);
    wake();
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
  }
}

/** Returns a function that ends a loop's pause between two agents; call it repeatedly while waiting. */
export function waker(state: string): () => void {
  let next = 0;
  return () => {
    if (Date.now() < next) return;
    next = Date.now() + WAKE_GAP;
    wakeLoop(state);
  };
}

/**
 * As {@link findAgent}, without waiting for a successor. `bound`: longest wait for an answer, ms. Throws
 * {@link AgentUnreachable} if others could have put a socket there.
 */
export async function connectNow(state: string, bound = ANSWER_BOUND): Promise<RpcClient | undefined> {
  const socket = readSocket(state);
  if (socket === undefined) return undefined;
  const problem = whyNotConnect(state, socket);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  let client: RpcClient | undefined;
  try {
    client = await RpcClient.connect(socket);
    // A dying agent still accepts connections, but never serves them: only an answer proves that it is alive.
    const info = await answerInTime(client, bound);
    // A path in the runtime folder may by now belong to another state folder's agent.
    if (fs.realpathSync(info.state_dir) === fs.realpathSync(state)) return client;
    client.close();
    return undefined;
  } catch (error) {
    client?.close();
    if (error instanceof ConnectionLost) return undefined;
    if (isCode(error, "ENOENT", "ECONNREFUSED", "ENOTSOCK", "ENOTDIR", "ELOOP", "ECONNRESET"))
      return undefined;
    throw new AgentUnreachable(`cannot reach the agent at ${socket}: ${(error as Error).message}`);
  }
}

/** Longest wait for an agent's first answer, ms. */
const ANSWER_BOUND = 10_000;

/** Throws if it does not answer. */
export async function answerInTime(client: RpcClient, bound = ANSWER_BOUND): Promise<ResultOf<"agent_info">> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${bound / 1000} s`)), bound);
  });
  try {
    return await Promise.race([client.call("agent_info", {}), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True from the agent's start to its planned end, including while it is restarted after a crash. */
export function isAgentExpected(state: string): boolean {
  return fs.existsSync(agentRecordPath(state));
}

interface AgentRecord {
  readonly pid?: unknown;
  readonly socket?: unknown;
  /** The loop that restarts it. */
  readonly loop?: ProcessId;
}

/** What the agent recorded about itself; empty if there is nothing to read. */
export function agentRecord(state: string): AgentRecord {
  try {
    return (readJson(agentRecordPath(state)) ?? {}) as AgentRecord;
  } catch {
    // A torn record says no more than a missing one: the holder of the lock writes it again.
    return {};
  }
}

function readSocket(state: string): string | undefined {
  const { socket } = agentRecord(state);
  return typeof socket === "string" ? socket : undefined;
}

/** True between two agents of one loop, after a crash or in an upgrade: the next one comes without help. */
export function isComing(state: string): boolean {
  return livingLoop(state) !== undefined;
}
