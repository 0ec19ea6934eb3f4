import { AgentBackend } from "../../src/backends/agent/backend.ts";
import { Agent } from "../rig/agent.ts";
import { makeHome } from "../rig/home.ts";
import { shellSpec } from "../rig/spec.ts";
import { backendContract } from "./backend.contract.ts";

backendContract({
  name: "agent",
  async create() {
    const home = makeHome();
    const backend = new AgentBackend(home.state);
    const agent = new Agent(home.state);
    return {
      backend,
      shell: shellSpec,
      operator: async (word, name, how) => void (await agent.call(word, { name, ...how })),
      async dispose() {
        await backend.close();
        agent.close();
        await home.dispose();
      },
    };
  },
});
