import { test as plain } from "vitest";
import { readText } from "../../src/system/files.ts";
import { agentLogPath } from "../../src/system/paths.ts";
import { Agent } from "./agent.ts";
import { type Home, makeHome } from "./home.ts";
import { Stage } from "./puppet.ts";

interface World {
  readonly home: Home;
  /** The agent of the home. It is started by the first call. */
  readonly agent: Agent;
  readonly stage: Stage;
}

/** A test with a home of its own. What a failed one heard of its agent is printed. */
export const test = plain.extend<World>({
  home: async ({ task }, use) => {
    const home = makeHome();
    await use(home);
    const said = readText(agentLogPath(home.state));
    await home.dispose();
    if (task.result?.state === "fail") console.log(`${task.name}: the agent said\n${said}`);
  },
  agent: async ({ home }, use) => {
    const agent = new Agent(home.state);
    await use(agent);
    agent.close();
  },
  stage: async ({ home }, use) => {
    const stage = await Stage.open(home.root);
    await use(stage);
    stage.close();
  },
});
