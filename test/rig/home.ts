import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findAgent } from "../../src/backends/agent/find.ts";
import { eventually } from "./eventually.ts";
import { groupOf, killGroup, processes } from "./processes.ts";
import { SweptFolder } from "./secret-scan.ts";

/** What an agent has in the state folder for itself. */
export const AGENTS_OWN = /^(agent\..*|ready|xy\.sock)$/;

/** A temporary home with everything that xy keeps below it. */
export interface Home {
  readonly root: string;
  readonly folder: SweptFolder;
  /** xy's state folder. */
  readonly state: string;
  /** For processes that the test starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Agents that have ended as they were told to, and their loops with them, while the running test had this home. */
  plannedEnds: number;
  /** Called when nothing runs in this home any more, before it is removed. */
  readonly undo: (() => void)[];
  /** Ends all that runs in this home, and removes it. */
  dispose(): Promise<void>;
}

export function makeHome(): Home {
  // The agents that this process starts get its environment: they must not meet in the account's own folder.
  delete process.env.XDG_RUNTIME_DIR;
  const folder = new SweptFolder();
  const root = folder.path;
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: root,
    TMPDIR: tmpdir(),
    XDG_CONFIG_HOME: join(root, "config"),
    XDG_STATE_HOME: join(root, "state"),
    XDG_RUNTIME_DIR: join(root, "run"),
  };
  for (const name of ["config", "state", "run"]) mkdirSync(join(root, name), { mode: 0o700 });
  const state = join(root, "state/xy");
  const undo: (() => void)[] = [];
  const dispose = async () => {
    await endAll(root, state);
    for (const step of undo) step();
    folder.remove();
  };
  return { root, folder, state, env, plannedEnds: 0, undo, dispose };
}

async function endAll(root: string, state: string): Promise<void> {
  const client = await findAgent(state).catch(() => undefined);
  if (client) {
    // Its servers are ended below: some of them would not end when asked.
    await client.call("agent_shutdown", { keep_servers: true }).catch(() => undefined);
    await client.closed;
  }
  await endServersIn(root);
}

/** Ends what runs in a home, but the agent and its loop, if one is named. */
export async function endServersIn(root: string, agent?: number): Promise<void> {
  const kept = agent === undefined ? undefined : groupOf(agent);
  await eventually(() => {
    const living = groupsOf(root).filter((group) => group !== kept);
    for (const group of living) killGroup(group);
    if (living.length > 0) throw new Error(`cannot end what runs in ${root}: groups ${living.join(", ")}`);
  });
}

/** Process groups that were started in this home: named by an argument, or by a keeper that may be gone. */
function groupsOf(root: string): number[] {
  const kept = keepersIn(root).map(readNumber);
  const own = groupOf(process.pid);
  const living = processes().filter(({ group, command }) => command.includes(root) || kept.includes(group));
  return [...new Set(living.map(({ group }) => group))].filter((group) => group !== own);
}

/** Not in what a link leads to: a package of xy in the home has one to all of its dependencies. */
function keepersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? keepersIn(path) : entry.name === "keeper" ? [path] : [];
  });
}

function readNumber(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}
