import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { ConnectionLost, RpcClient } from "../rpc/client.ts";
import type { ResultOf } from "../rpc/contract.ts";
import { isCode, readJson, readText } from "../system/files.ts";
import { lockHolder } from "../system/lock.ts";
import { agentEntryPath } from "../system/package.ts";
import { agentLockPath, agentLogPath, agentRecordPath, ensurePrivateDir } from "../system/paths.ts";

/** Finding, starting and reaching the agent process of a state folder. */

/** The agent cannot be reached; the message says why and what to do. */
export class AgentUnreachable extends Error {}

/** Longest wait for an agent to come up, ms. Taking up a thousand servers is part of it. */
const START_BOUND = 30_000;
const LOOK_GAP = 20;

/**
 * Keeps the agent alive: a crash brings it back. It ends with the agent's planned end (0), when another agent holds
 * the lock (75), and gives up after five ends in a row that each came within ten seconds.
 */
const LOOP = `
quick=0
while :; do
  began=$(date +%s)
  "$@"; code=$?
  if [ $code -eq 0 ] || [ $code -eq 75 ]; then exit $code; fi
  if [ $(($(date +%s) - began)) -lt 10 ]; then quick=$((quick + 1)); else quick=0; fi
  [ $quick -ge 5 ] && exit $code
  sleep 0.2
done
`;

/** A connection to the running agent; undefined when none runs. */
export async function findAgent(state: string): Promise<RpcClient | undefined> {
  const socket = readSocket(state);
  if (socket === undefined) return undefined;
  let client: RpcClient | undefined;
  try {
    client = await RpcClient.connect(socket);
    // One that is dying still accepts connections, which it will never serve: only an answer proves that it lives.
    const info = await answerInTime(client);
    // A path in the runtime folder may have become that of another state folder's agent.
    if (fs.realpathSync(info.state_dir) === fs.realpathSync(state)) return client;
    client.close();
    return undefined;
  } catch (error) {
    client?.close();
    if (error instanceof ConnectionLost) return undefined;
    if (isCode(error, "ENOENT", "ECONNREFUSED", "ENOTSOCK", "ECONNRESET")) return undefined;
    throw new AgentUnreachable(`cannot reach the agent at ${socket}: ${(error as Error).message}`);
  }
}

/** Longest wait for the first answer of an agent, ms. */
const ANSWER_BOUND = 10_000;

async function answerInTime(client: RpcClient): Promise<ResultOf<"agent_info">> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it did not answer within ${ANSWER_BOUND / 1000} s`)),
      ANSWER_BOUND,
    );
  });
  try {
    return await Promise.race([client.call("agent_info", {}), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True from the start of an agent to its planned end, also while a crash is being mended. */
export function isAgentExpected(state: string): boolean {
  return fs.existsSync(agentRecordPath(state));
}

function readSocket(state: string): string | undefined {
  try {
    const record = readJson(agentRecordPath(state)) as { socket?: unknown } | undefined;
    return typeof record?.socket === "string" ? record.socket : undefined;
  } catch {
    // A torn record says no more than none: whoever holds the lock writes it anew.
    return undefined;
  }
}

/** A connection to the agent, which is started when none runs. */
export async function reachAgent(state: string): Promise<RpcClient> {
  const found = await findAgent(state);
  if (found) return found;
  ensurePrivateDir(state);
  const logStart = sizeOf(agentLogPath(state));
  let loop: Loop | undefined;
  const until = Date.now() + START_BOUND;
  while (Date.now() < until) {
    // While somebody holds the lock an agent is coming up. It may also be one that is dying, for good: so look again.
    if (!loop && !lockHolder(agentLockPath(state))) loop = startAgent(state);
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
    const client = await findAgent(state);
    if (client) return client;
    if (loop?.failed) break;
  }
  throw new AgentUnreachable(`cannot start the agent: ${lastWords(state, logStart)}`);
}

interface Loop {
  /** It has given up. */
  failed: boolean;
}

function startAgent(state: string): Loop {
  const log = openLog(agentLogPath(state));
  const argv = ["-c", LOOP, "xy-agent-loop", process.execPath, agentEntryPath(), "--state", state];
  const env = agentEnvironment(process.env);
  const child = spawn("/bin/sh", argv, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
  fs.closeSync(log);
  child.unref();
  const loop: Loop = { failed: false };
  child.once("exit", (code) => {
    // 75: another one was quicker, and that one will answer.
    loop.failed = code !== 75;
  });
  return loop;
}

/** What the agent needs itself. The rest of a shell's environment, secrets among it, would only go stale in it. */
const AGENT_ENVIRONMENT = [
  "HOME",
  "PATH",
  "LANG",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_STATE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
];

function agentEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    AGENT_ENVIRONMENT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

const LONGEST_LOG = 1024 * 1024;

function openLog(path: string): number {
  if (sizeOf(path) > LONGEST_LOG) fs.renameSync(path, `${path}.1`);
  return fs.openSync(path, "a", 0o600);
}

const sizeOf = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function lastWords(state: string, from: number): string {
  const text = (readText(agentLogPath(state)) ?? "").slice(from).trim();
  // Each line of the log begins with its time.
  return (
    text
      .split("\n")
      .at(-1)
      ?.replace(/^\S+Z /, "") || `it does not answer; see ${agentLogPath(state)}`
  );
}
