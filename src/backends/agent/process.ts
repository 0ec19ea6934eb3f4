import * as fs from "node:fs";
import type { ProcessId } from "../../model/process.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import { leadsTo, readBytes } from "../../system/files.ts";
import { lockHolder } from "../../system/lock.ts";
import { AGAIN, endLoop, livingLoop } from "../../system/loop.ts";
import {
  agentLockPath,
  agentLogPath,
  agentRecordPath,
  ensurePrivateDir,
  programPaths,
} from "../../system/paths.ts";
import { STATE_FOLDER, whyNotPrivate } from "../../system/private-folder.ts";
import { isRunning } from "../../system/processes.ts";
import { readProgram } from "../../system/program.ts";
import { AgentUnreachable, connectNow, isComing, waker } from "./find.ts";
import { type Loop, prepareLoop, startLoop } from "./loop.ts";
import { startInstalled } from "./services.ts";

/** Starting the agent of a state folder if none runs. */

/** Longest wait for an agent to come up, ms, which includes taking over a thousand servers. */
const START_BOUND = 30_000;
const LOOK_GAP = 20;

/** How long a pausing loop may take before its program is replaced with this xy's, ms: longer than Node takes to start. */
const REPLACE_AFTER = 3000;
/** Pause between two reads of the log, ms. */
const LOG_GAP = 200;

/** Starts the agent, which was not running a moment ago, and connects. Throws {@link AgentUnreachable}. */
export async function startedAgent(state: string): Promise<RpcClient> {
  const problem = whyNotPrivate(state, STATE_FOLDER);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  ensurePrivateDir(state);
  const log = new LogSince(agentLogPath(state));
  const begun = Date.now();
  const until = begun + START_BOUND;
  const wake = waker(state);
  let loop: Pick<Loop, "failed" | "end"> | undefined;
  let nextLook = begun + LOG_GAP;
  // Its loop runs, but its program may be damaged or failing: this xy's replaces it.
  let isReplaced = false;
  const replace = () => {
    isReplaced = true;
    prepareLoop(state);
    log.skip();
  };
  while (Date.now() < until) {
    // While the lock is held, an agent is coming up, or is exiting for good: so look again.
    if (!loop && !lockHolder(agentLockPath(state))) {
      if (!isComing(state)) loop = await startAgent(state);
      else if (!isReplaced && (Date.now() > begun + REPLACE_AFTER || !isProgramThere(state))) replace();
    }
    wake();
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
    const client = await connectNow(state);
    if (client) return client;
    if (loop?.failed) break;
    if (Date.now() < nextLook) continue;
    nextLook = Date.now() + LOG_GAP;
    const ends = log.ends();
    if (ends >= MOST_ENDS) {
      // The caller is told why, and nobody else waits for it: the next command starts afresh.
      loop?.end();
      break;
    }
    if (!loop && !isReplaced && ends > 0) replace();
  }
  throw new AgentUnreachable(`cannot start the agent: ${log.lastWords()}`);
}

/** A program that exits this often during the wait will not come up. */
const MOST_ENDS = 4;

/** The service manager keeps it alive. */
const BY_MANAGER = { failed: false, end: () => {} };

/** Longest wait for a loop to exit, ms: an agent that is coming up under it stops its servers first. */
const LOOP_END_BOUND = 60_000;

/** Tells the agent to end, and waits until it and its loop have. Throws {@link AgentUnreachable} if the loop goes on. */
export async function shutDown(
  state: string,
  client: RpcClient,
  params: { readonly keep_servers: boolean },
): Promise<ResultOf<"agent_shutdown">> {
  const loop = livingLoop(state);
  const answer = await client.call("agent_shutdown", params);
  await client.closed;
  await ended(loop);
  return answer;
}

/** Stops the loop of an agent that does not come up. Throws {@link AgentUnreachable} if it does not exit. */
export async function endFailing(state: string): Promise<void> {
  const loop = livingLoop(state);
  endLoop(state);
  await ended(loop);
  fs.rmSync(agentRecordPath(state), { force: true, recursive: true });
}

async function ended(loop: ProcessId | undefined): Promise<void> {
  const until = Date.now() + LOOP_END_BOUND;
  while (loop && isRunning(loop)) {
    if (Date.now() > until) throw new AgentUnreachable("cannot stop the agent's loop: try again");
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
  }
}

/** Starts it through the service manager if it is installed there, which then keeps it alive. */
async function startAgent(state: string): Promise<Pick<Loop, "failed" | "end">> {
  prepareLoop(state);
  return (await startInstalled(state, process.env)) ? BY_MANAGER : startLoop(state);
}

/** What is added to the agent's log from now on. */
export class LogSince {
  readonly #path: string;
  #from: number;

  constructor(path: string) {
    this.#path = path;
    this.#from = sizeOf(path);
  }

  /** What it has by now is of no interest any more. */
  skip(): void {
    this.#from = sizeOf(this.#path);
  }

  /** How often its loop has said that the agent ended. */
  ends(): number {
    return this.#lines().filter((line) => AGAIN.test(line)).length;
  }

  /** Why the agent does not come up, or where to look. */
  lastWords(): string {
    return reasonIn(this.#lines()) ?? `it does not answer; see ${this.#path}`;
  }

  #lines(): string[] {
    const bytes = leadsTo(this.#path)?.isFile() ? (readBytes(this.#path) ?? Buffer.of()) : Buffer.of();
    // A long one was put aside meanwhile.
    return bytes
      .subarray(this.#from > bytes.length ? 0 : this.#from)
      .toString("utf8")
      .split("\n");
  }
}

/** The last error that the agent, or Node, logged. The agent's lines begin with a time; Node's do not. */
function reasonIn(lines: readonly string[]): string | undefined {
  const damaged = lines.findLast((line) => /Z the copy of the agent is damaged/.test(line));
  const error = lines.findLastIndex((line) => /^\w*Error\b.*:/.test(line));
  const said = lines.findLastIndex((line) => /^\S+Z /.test(line) && !AGAIN.test(line));
  const last = error > said ? errorAt(lines, error) : lines[said]?.replace(/^\S+Z /, "");
  if (damaged === undefined) return last ?? lines.filter((line) => line !== "" && !AGAIN.test(line)).at(-1);
  return `${damaged.replace(/^\S+Z /, "")} (${last})`;
}

/** The error, with the file and line that Node prints above it. */
function errorAt(lines: readonly string[], at: number): string {
  const place = lines
    .slice(Math.max(0, at - 8), at)
    .findLast((line) => /^(file:\/\/)?\/\S.*:\d+$/.test(line));
  return place === undefined ? `${lines[at]}` : `${place.replace(/:\d+$/, "")}: ${lines[at]}`;
}

const sizeOf = (path: string) => leadsTo(path)?.size ?? 0;

/** Whether the program that the loop runs exists at all. */
function isProgramThere(state: string): boolean {
  const program = readProgram(programPaths(state).current);
  return program !== undefined && fs.existsSync(program.entry) && fs.existsSync(program.node);
}
