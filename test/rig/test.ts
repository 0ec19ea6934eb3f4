import { mkdirSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, test as plain } from "vitest";
import { findAgent } from "../../src/backends/agent/find.ts";
import { readText } from "../../src/system/files.ts";
import { agentLogPath } from "../../src/system/paths.ts";
import { Agent } from "./agent.ts";
import { AGENTS_OWN, endServersIn, type Home, makeHome } from "./home.ts";
import { Stage } from "./puppet.ts";

interface World {
  readonly home: Home;
  /** The agent of the home. It is started by the first call. */
  readonly agent: Agent;
  readonly stage: Stage;
}

/** A test with a home of its own. What a failed one heard of its agent is printed. */
export const test = testIn(makeHome, (home) => home.dispose());

/**
 * For a file whose tests say nothing about how an agent starts, or about ids of jobs: as {@link test}, but after a test
 * that passed its servers and jobs are removed with all that was written, and the next test has the home, with the agent
 * that runs there. After a planned end of the agent that is the next one. It may have been killed, as long as its loop brings
 * the next one back at once. Call it where tests are declared.
 */
export function testInTurn(): typeof test {
  const free: Home[] = [];
  /** Those that have been used, and how often the agent of each was brought back. */
  const used = new Map<Home, number>();
  afterAll(async () => {
    for (const home of free.splice(0)) await home.dispose();
  });
  return testIn(
    () => free.pop() ?? makeHome(),
    async (home, passed) => {
      const starts = readText(agentLogPath(home.state))?.match(STARTS)?.length ?? 0;
      const planned = home.plannedEnds + (used.has(home) ? 0 : 1);
      const backs = (used.get(home) ?? 0) + starts - planned;
      used.set(home, backs);
      home.plannedEnds = 0;
      if (passed && starts >= planned && backs <= BACK_AT_ONCE && (await clear(home))) free.push(home);
      else await home.dispose();
    },
  );
}

function testIn(open: () => Home, close: (home: Home, passed: boolean) => Promise<void>) {
  return plain.extend<World>({
    home: async ({ task }, use) => {
      const home = open();
      await use(home);
      const failed = task.result?.state === "fail";
      const said = failed ? readText(agentLogPath(home.state)) : "";
      await close(home, !failed);
      if (failed) console.log(`${task.name}: the agent said\n${said}`);
    },
    agent: async ({ home }, use) => {
      const agent = new Agent(home.state);
      await use(agent);
      home.plannedEnds = agent.plannedEnds;
      agent.close();
    },
    stage: async ({ home }, use) => {
      const stage = await Stage.open(home.root);
      await use(stage);
      stage.close();
    },
  });
}

/** So often a loop has brought back an agent, and would do so once more without a pause: its text is in src/system/loop.ts. */
const BACK_AT_ONCE = 2;

/** What an agent says when it has come up. */
const STARTS = /Z serves \d+ servers? on /g;

/** Makes it as a new one, with the agent that runs in it. False when nothing is gained by that, or it cannot be done. */
async function clear(home: Home): Promise<boolean> {
  if (home.undo.length > 0 || !home.folder.isClean() || !(await removeAll(home))) return false;
  for (const entry of readdirSync(home.root)) {
    if (entry !== "state") rmSync(join(home.root, entry), { recursive: true, force: true, maxRetries: 5 });
  }
  for (const entry of readdirSync(home.state)) {
    if (!AGENTS_OWN.test(entry)) rmSync(join(home.state, entry), { recursive: true, force: true });
  }
  truncateSync(agentLogPath(home.state));
  for (const name of ["config", "run"]) mkdirSync(join(home.root, name), { mode: 0o700 });
  home.folder.begin();
  return true;
}

/** Has the agent forget every server, action and job. */
async function removeAll({ root, state }: Home): Promise<boolean> {
  const client = await findAgent(state).catch(() => undefined);
  if (!client) return false;
  try {
    const { pid } = await client.call("agent_info", {});
    await client.call("kill", { all: true });
    await endServersIn(root, pid);
    for (const { name, project, kept } of await client.call("list", {})) {
      const removal = { project, server: name, action: "remove", wait_ms: 0 } as const;
      await (kept ? client.call("forget", { name, project }) : client.call("apply", removal));
    }
    for (const { spec } of await client.call("action_list", {})) {
      const { name, server, project } = spec;
      const remove = [server === null ? name : `${server}:${name}`];
      await client.call("action_apply", { project, set: [], remove });
    }
    const { jobs } = await client.call("job_list", { limit: 1000 });
    for (const project of new Set(jobs.map((job) => job.project)))
      await client.call("job_clear", { project });
    return (await client.call("list", {})).length === 0;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
