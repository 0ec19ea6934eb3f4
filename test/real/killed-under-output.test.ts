import { describe, expect } from "vitest";
import { countsOf, STREAMS } from "../rig/log-file.ts";
import { programsWith } from "../rig/processes.ts";
import { test } from "../rig/test.ts";

const NAMES = ["a", "b", "c"];
const KILLS = 40;
const ONE_READ = 64 * 1024;

describe("an agent that ends while its servers print", () => {
  test("loses one read of a stream at most each time it is killed", async ({ home, agent, stage }) => {
    // Also by the way: the three of them start an agent at once, and there is one.
    await Promise.all(NAMES.map((name) => agent.apply(stage.spec(name), "add", 0)));
    const puppets = await Promise.all(NAMES.map((name) => stage.next(name)));
    for (const puppet of puppets) await puppet.do({ deed: "chatter", lines: 20, everyMs: 3 });

    for (let kill = 0; kill < KILLS; kill++) {
      await agent.hears(NAMES[kill % NAMES.length] as string, Math.ceil(Math.random() * 100));
      await agent.kill();
    }

    await agent.call("list", {});
    const counts = (await Promise.all(puppets.map((puppet) => countsOf(home.state, puppet)))).flat();
    for (const count of counts) {
      expect(count).toMatchObject({ misplaced: 0 });
      expect(count.widestGap).toBeLessThanOrEqual(ONE_READ);
      // What was read is written at once, so that few kills come between the two.
      expect(count.gaps).toBeLessThan(KILLS / 5);
    }
    await expectUntouched();

    async function expectUntouched() {
      const pids = puppets.map(({ pid }) => pid);
      const observed = await agent.observe();
      expect(observed).toMatchObject(pids.map((pid) => ({ pid, state: "running", restartCount: 0 })));
      expect(
        programsWith(stage.path)
          .map(({ pid }) => pid)
          .sort(),
      ).toEqual([...pids].sort());
      expect(stage.entries).toHaveLength(NAMES.length);
    }
  });

  test("loses nothing when its end is planned", async ({ home, agent, stage }) => {
    await agent.addAll(NAMES.map((name) => stage.spec(name)));
    const puppets = await Promise.all(NAMES.map((name) => stage.next(name)));
    for (const puppet of puppets) await puppet.do({ deed: "chatter", lines: 50, everyMs: 5 });

    for (let restart = 0; restart < 10; restart++) {
      await agent.hears(NAMES[restart % NAMES.length] as string, 1 + restart * 10);
      expect(await agent.shutdown(true)).toEqual([]);
    }

    await agent.call("list", {});
    const counts = (await Promise.all(puppets.map((puppet) => countsOf(home.state, puppet)))).flat();
    expect(counts).toEqual(
      NAMES.flatMap((name) =>
        STREAMS.map((stream) => ({
          name,
          stream,
          missing: 0,
          gaps: 0,
          widestGap: 0,
          misplaced: 0,
          torn: 0,
        })),
      ),
    );
    expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ pid, restartCount: 0 })));
  });
});
