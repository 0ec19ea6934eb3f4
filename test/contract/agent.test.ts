import { afterAll } from "vitest";
import { AgentBackend } from "../../src/backends/agent/backend.ts";
import { Agent } from "../rig/agent.ts";
import { type Home, makeHome } from "../rig/home.ts";
import { changeOf, PROJECT, shellSpec } from "../rig/spec.ts";
import { backendContract } from "./backend.contract.ts";

let home: Home | undefined;
afterAll(() => home?.dispose());

backendContract({
  name: "agent",
  // One home for all of them: to start an agent takes longer than most of them do.
  async create() {
    home ??= makeHome();
    const { state } = home;
    const [backend, agent] = [new AgentBackend(state), new Agent(state)];
    return {
      backend,
      shell: shellSpec,
      operator: async (word, name, how) => void (await agent.call(word, { name, ...how })),
      async dispose() {
        for (const { name } of await backend.observe(PROJECT)) {
          await agent.call("kill", { name });
          const { signal } = new AbortController();
          const how = { secrets: {}, signal, waitMs: undefined };
          const gone = await backend.perform(changeOf(shellSpec(name, ""), "remove"), how);
          if (!gone.ok) throw new Error(`cannot remove ${name}: ${gone.message}`);
        }
        await backend.close();
        agent.close();
      },
    };
  },
});
