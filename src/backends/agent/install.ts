import * as fs from "node:fs";
import { dirname } from "node:path";
import { readText, writeAtomic } from "../../system/files.ts";
import { packageVersion } from "../../system/package.ts";
import { agentLogPath, agentLoopPath, ensureDir, programPaths } from "../../system/paths.ts";
import { prepareProgram, readProgram } from "../../system/program.ts";
import { AgentUnreachable, agentRecord, connectNow } from "./find.ts";
import { agentEnvironment, openLog, prepareLoop, startLoop, writeLoop } from "./loop.ts";
import { LogSince } from "./process.ts";
import { mendedAgent } from "./reach.ts";
import type { AgentService } from "./service.ts";
import { type Upgraded, upgradeAgent } from "./upgrade.ts";

/**
 * Handing the agent to the service manager, and taking it back. Each time, one loop hands over to another: the new agent
 * asks the old one to leave the servers running and exit. So there is always a loop.
 */

export interface Installed {
  /** False if nothing had to change. */
  readonly changed: boolean;
  /** Present if the running agent had another version. */
  readonly upgraded?: Upgraded;
}

/** A file that xy did not write is in the way. */
export class ForeignUnit extends Error {}

/** Longest time until a new agent serves: in seconds, and of a hand-over in ms. */
const SERVE_SECS = 20;
const TAKE_OVER_BOUND = 60_000;
const LOOK_GAP = 20;

/** Throws {@link AgentUnreachable}, {@link ForeignUnit}, or what an upgrade and the manager throw. */
export async function installAgent(state: string, service: AgentService): Promise<Installed> {
  await refuseUnreachable(service);
  const found = ownText(state, service);
  const upgraded = await bringUp(state);
  const environment = Object.entries(agentEnvironment(process.env)).map(([name, value]) => ({ name, value }));
  const log = agentLogPath(state);
  const text = await service.text({ state, loop: agentLoopPath(state), log, environment });
  const done = upgraded ? { upgraded } : {};
  if (found === text && (await service.pid()) !== undefined) return { changed: false, ...done };
  await moveOut(state, service);
  fs.closeSync(openLog(log));
  ensureDir(dirname(service.file));
  writeAtomic(service.file, text, { mode: 0o644 });
  try {
    await service.register();
  } catch (error) {
    // A unit that the manager refuses is not left behind.
    if (found === undefined) fs.rmSync(service.file, { force: true });
    throw error;
  }
  await service.start();
  await untilServed(state, service);
  return { changed: true, ...done };
}

/** The agent continues under its own loop. Returns false if nothing was installed. Throws as {@link installAgent} does. */
export async function uninstallAgent(state: string, service: AgentService): Promise<boolean> {
  if (ownText(state, service) === undefined) return false;
  await refuseUnreachable(service);
  await moveOut(state, service);
  await service.unregister();
  fs.rmSync(service.file, { force: true });
  await service.forget();
  return true;
}

async function refuseUnreachable(service: AgentService): Promise<void> {
  const problem = await service.unreachable();
  if (problem !== undefined) throw new AgentUnreachable(problem);
}

/** The text of the installed unit; undefined if there is none. Throws if xy did not write it. */
function ownText(state: string, service: AgentService): string | undefined {
  const text = readText(service.file);
  if (text === undefined) return undefined;
  const owner = service.stateIn(text);
  if (owner === state) return text;
  if (owner === undefined)
    throw new ForeignUnit(`cannot use ${service.file}: xy did not write it; move it away, and try again`);
  throw new ForeignUnit(
    `cannot use ${service.file}: it belongs to the agent for ${owner}, and this one is for ${state}; uninstall that one first`,
  );
}

/** Makes this xy's program the one to run. An agent of another version is upgraded, and the old one kept as a fallback. */
async function bringUp(state: string): Promise<Upgraded | undefined> {
  const client = await mendedAgent(state);
  if (!client) {
    prepareLoop(state);
    return undefined;
  }
  const { version } = await client.call("agent_info", {});
  if (version !== packageVersion()) return upgradeAgent(state, client, SERVE_SECS);
  client.close();
  writeLoop(state);
  const { current } = programPaths(state);
  if (!readProgram(current)) prepareProgram(state);
  return undefined;
}

/** A loop of xy's own takes over from the one that the service manager runs, which then exits: it is never told to stop. */
async function moveOut(state: string, service: AgentService): Promise<void> {
  if ((await service.pid()) === undefined) return;
  // Only a serving agent can hand over. Its loop may be in a pause after one that failed.
  (await mendedAgent(state))?.close();
  const log = new LogSince(agentLogPath(state));
  const { pid } = startLoop(state, "--take-over");
  await until(
    async () => (await isServedBy(state, pid)) && (await service.pid()) === undefined,
    () => `cannot take the agent back from ${service.kind}: ${log.lastWords()}`,
  );
}

async function untilServed(state: string, service: AgentService): Promise<void> {
  const log = new LogSince(agentLogPath(state));
  await until(
    async () => isServedBy(state, await service.pid()),
    () => `cannot run the agent under ${service.kind}: ${log.lastWords()}`,
  );
}

/** Whether an agent serves under this loop. */
async function isServedBy(state: string, loop: number | undefined): Promise<boolean> {
  if (loop === undefined || agentRecord(state).loop?.pid !== loop) return false;
  const client = await connectNow(state);
  client?.close();
  return client !== undefined;
}

async function until(condition: () => Promise<boolean>, otherwise: () => string): Promise<void> {
  const end = Date.now() + TAKE_OVER_BOUND;
  while (!(await condition())) {
    if (Date.now() > end) throw new AgentUnreachable(otherwise());
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
  }
}
