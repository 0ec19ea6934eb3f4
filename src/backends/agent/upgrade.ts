import * as fs from "node:fs";
import type { RpcClient } from "../../rpc/client.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { readText } from "../../system/files.ts";
import { agentLogPath, programPaths } from "../../system/paths.ts";
import { copyOfAgent } from "../../system/program.ts";
import { AgentUnreachable, connectNow } from "./find.ts";
import { writeLoop } from "./loop.ts";

/** Replacing the running agent with this xy, as seen by the command that asks for it. */

export interface Upgraded {
  readonly from: string;
  readonly to: string;
  /** How many servers are recorded; all were left as they are. */
  readonly servers: number;
  /** How long no agent answered: from the old one's answer to the new one's, ms. */
  readonly away_ms: number;
}

/** The new agent failed, and the old one serves again; the message says why. */
export class UpgradeFailed extends Error {}

/** Time for going back to the old agent, after the new one's time is up, ms. */
const WAY_BACK = 30_000;
/** Pause between two looks for the next agent, ms. */
const GAP = 5;

/**
 * Replaces the agent behind `client`, and closes `client`. `boundSecs`: how long the new one may take to serve.
 * Throws an {@link RpcError} if the agent refuses, {@link UpgradeFailed} if the new one failed.
 */
export async function upgradeAgent(state: string, client: RpcClient, boundSecs: number): Promise<Upgraded> {
  const before = await client.call("agent_info", {});
  writeLoop(state);
  const logStart = logOf(state).length;
  const { version } = await askToHandOver(client, {
    ...copyOfAgent(state),
    bound_secs: boundSecs,
  });
  const asked = performance.now();
  client.close();
  const after = await nextAgent(state, before.pid, boundSecs * 1000 + WAY_BACK);
  const away_ms = Math.round(performance.now() - asked);
  if (after === undefined)
    throw new AgentUnreachable(`cannot find the agent after the upgrade: see ${agentLogPath(state)}`);
  if (fs.existsSync(programPaths(state).failed)) throw new UpgradeFailed(whyFailed(state, logStart));
  return { from: before.version, to: version, servers: after.servers, away_ms };
}

async function askToHandOver(client: RpcClient, params: { node: string; entry: string; bound_secs: number }) {
  try {
    return await client.call("agent_upgrade", params);
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== RPC_ERRORS.methodNotFound) throw error;
    throw new RpcError(
      error.code,
      "cannot upgrade: the agent is too old to hand over: `xy agent stop --keep-servers` ends it, and `xy agent start` starts this version",
    );
  }
}

/** The agent that serves in the end: the successor, or the old one again after the successor failed. */
async function nextAgent(
  state: string,
  oldPid: number,
  boundMs: number,
): Promise<ResultOf<"agent_info"> | undefined> {
  const until = Date.now() + boundMs;
  while (Date.now() < until) {
    // Until the successor has taken this away it may still fail.
    const client = fs.existsSync(programPaths(state).next) ? undefined : await connectNow(state);
    if (client) {
      const info = await client.call("agent_info", {}).finally(() => client.close());
      if (info.pid !== oldPid) return info;
    }
    await new Promise((resolve) => setTimeout(resolve, GAP));
  }
  return undefined;
}

/** What the log says since then: how the loop saw the end of the new agent, and what that said of itself before. */
function whyFailed(state: string, from: number): string {
  const lines = logOf(state).slice(from).split("\n");
  const end = lines.findIndex((line) => /Z the new agent (ended with|does not serve)/.test(line));
  const before = lines.slice(0, Math.max(end, 0));
  const reported = before.filter((line) => /^\S+Z (?!serves )/.test(line));
  const error = before.find((line) => /^\w*Error\b.*:/.test(line)) ?? reported.at(-1);
  const verdict =
    end < 0 ? "the new agent failed" : withoutTime(lines[end] ?? "").replace(/: back to .*$/, "");
  return error === undefined ? verdict : `${verdict}: ${withoutTime(error)}`;
}

const logOf = (state: string) => readText(agentLogPath(state)) ?? "";

const withoutTime = (line: string) => line.replace(/^\S+Z /, "");
