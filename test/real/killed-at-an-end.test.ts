import { describe, expect } from "vitest";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { printedIn } from "../rig/log-file.ts";
import { planned } from "../rig/plan.ts";
import { programsWith } from "../rig/processes.ts";
import type { Puppet } from "../rig/puppet.ts";
import { test } from "../rig/test.ts";

const ROUNDS = [...Array(24).keys()];

/** The servers end, and the agent is killed: before, after, or with nothing in between. */
async function endAround(agent: Agent, round: number, end: () => Promise<unknown>): Promise<void> {
  switch (round % 3) {
    case 0:
      await end();
      return agent.kill();
    case 1:
      await agent.kill();
      return void (await end());
    default:
      await Promise.all([end(), agent.kill()]);
  }
}

describe("servers that end while their agent is killed", () => {
  test("have their exact exit code, and are restarted as their policy says", { timeout: 120_000 }, async ({
    agent,
    stage,
    home,
  }) => {
    for (const round of ROUNDS) {
      const crashing = stage.spec(`crashing${round}`);
      const once = stage.spec(`once${round}`);
      const never = stage.spec(`never${round}`, { restart: { policy: "never" } });
      const specs = [crashing, once, never];
      await agent.addAll(specs);
      const puppets = await Promise.all(specs.map(({ name }) => stage.next(name)));
      const [a, b, c] = puppets as [Puppet, Puppet, Puppet];

      await endAround(agent, round, async () => {
        for (const puppet of puppets) await puppet.do({ deed: "write", stream: "out", text: "last words" });
        await Promise.all([a.exit(5), b.exit(0), c.exit(7)]);
      });

      await agent.client();
      const successor = await stage.next(crashing.name);
      await eventually(async () =>
        expect(await agent.observe()).toMatchObject([
          {
            state: "running",
            pid: successor.pid,
            restartCount: 1,
            lastExit: { exit: { kind: "code", code: 5 } },
          },
          { state: "stopped", restartCount: 0, lastExit: { exit: { kind: "code", code: 7 } } },
          { state: "stopped", restartCount: 0, lastExit: { exit: { kind: "code", code: 0 } } },
        ]),
      );
      expect(planned(specs, await agent.observe())).toEqual([]);
      expect(specs.map(({ name }) => stage.count(name))).toEqual([2, 1, 1]);
      for (const { name } of specs) {
        const said = printedIn(home.state, name, "out").toString();
        // An agent that is killed after they were printed may have read them, and not written yet.
        if (round % 3 === 1 || said !== "") expect(said).toBe("last words\n");
      }
      await Promise.all(specs.map((spec) => agent.apply(spec, "remove")));
    }
    expect(stage.doubles).toEqual([]);
    expect(programsWith(stage.path)).toEqual([]);
  });
});
