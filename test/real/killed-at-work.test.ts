import { describe, expect } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { planned } from "../rig/plan.ts";
import { programsWith } from "../rig/processes.ts";
import type { Stage } from "../rig/puppet.ts";
import { shellSpec } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

const ROUNDS = [...Array(15).keys()];
/** Of an apply, which takes a second until its servers count as ready. */
const APPLIES = ROUNDS.slice(0, 8);

/** Each server's programs so far, in the order of the names. */
const counts = (stage: Stage, names: readonly string[]) => names.map((name) => stage.count(name));

describe("an agent that is killed in the middle of its work", () => {
  test("of an apply: every server comes up once", async ({ agent, stage }) => {
    for (const round of APPLIES) {
      const names = ["a", "b", "c", "d"].map((name) => `${name}${round}`);
      const specs = names.map((name) => stage.spec(name));
      await agent.client();
      const applying = Promise.all(specs.map((spec) => agent.apply(spec, "add", 5000)));
      for (const name of names.slice(0, round % 5)) await stage.next(name);
      await agent.kill();

      expect(await applying).toEqual(names.map(() => ({ ok: true, detail: expect.anything() })));
      const observed = await agent.observe();
      expect(observed.map(({ name, state }) => `${name} ${state}`)).toEqual(
        names.map((name) => `${name} running`),
      );
      expect(planned(specs, observed)).toEqual([]);
      expect(counts(stage, names)).toEqual([1, 1, 1, 1]);
      await Promise.all(specs.map((spec) => agent.apply(spec, "remove")));
    }
    expect(programsWith(stage.path)).toEqual([]);
  });

  test("of an apply that restarts: every server is started with the new spec, one at a time", async ({
    agent,
    stage,
  }) => {
    const names = ["a", "b", "c"];
    await agent.addAll(names.map((name) => stage.spec(name)));
    await Promise.all(names.map((name) => stage.next(name)));
    for (const round of APPLIES) {
      const specs = names.map((name) => stage.spec(name, { env: { ROUND: String(round) } }));
      const applying = Promise.all(specs.map((spec) => agent.apply(spec, "restart", 5000)));
      for (const name of names.slice(0, round % 4)) await stage.next(name);
      await agent.kill();
      for (const name of names.slice(round % 4)) {
        const { hello } = await stage.next(name);
        expect(hello.env).toMatchObject({ ROUND: String(round) });
      }

      expect(await applying).toEqual(names.map(() => ({ ok: true, detail: expect.anything() })));
      expect(planned(specs, await agent.observe())).toEqual([]);
      expect(counts(stage, names)).toEqual([round + 2, round + 2, round + 2]);
    }
    expect(stage.doubles).toEqual([]);
    expect(programsWith(stage.path)).toHaveLength(names.length);
  });

  test("of a stop: the stop goes on, and the server stays held", async ({ agent, stage }) => {
    for (const round of ROUNDS) {
      const name = `a${round}`;
      const spec = stage.spec(name, { stop: { grace: 300 } });
      await agent.apply(spec, "add", 0);
      const puppet = await stage.next(name);
      await puppet.do({ deed: "ignore", signal: "SIGTERM" });

      const stopping = agent.call("stop", { name }).catch((error: Error) => error.message);
      await puppet.ignores();
      await agent.kill();

      expect(await stopping).toBe("the agent closed the connection");
      await agent.client();
      await puppet.gone;
      await eventually(async () =>
        expect(await agent.observed(name)).toMatchObject({
          state: "stopped",
          operator: "stop",
          lastExit: { exit: { kind: "signal", signal: "SIGKILL" } },
        }),
      );
      expect(planned([spec], [await agent.observed(name)])).toEqual([]);
      expect(stage.count(name)).toBe(1);
      await agent.apply(spec, "remove");
    }
    expect(programsWith(stage.path)).toEqual([]);
  });

  test("after a word about a server that rests: the word is kept", async ({ agent }) => {
    const spec = shellSpec("a", "exit 0");
    await agent.apply(spec);
    expect(await agent.call("stop", { name: "a" })).toMatchObject({ not_running: ["a"] });
    await agent.kill();
    await agent.isBack();
    expect(await agent.observed("a")).toMatchObject({ state: "stopped", operator: "stop" });
  });

  test("of a wait for a restart: the server is started once, when its wait is over", async ({
    agent,
    stage,
  }) => {
    for (const round of ROUNDS) {
      const name = `a${round}`;
      const spec = stage.spec(name, { restart: { backoffInitial: 300, backoffMax: 300 } });
      await agent.apply(spec, "add", 0);
      await (await stage.next(name)).exit(3);
      await eventually(async () => expect(await agent.observed(name)).toMatchObject({ state: "restarting" }));
      const { nextStartAt } = await agent.observed(name);
      await agent.kill();

      await agent.client();
      await stage.next(name);
      expect(Date.now()).toBeGreaterThanOrEqual(nextStartAt as number);
      await eventually(async () =>
        expect(await agent.observed(name)).toMatchObject({
          state: "running",
          restartCount: 1,
          lastExit: { exit: { kind: "code", code: 3 } },
        }),
      );
      expect(planned([spec], [await agent.observed(name)])).toEqual([]);
      expect(stage.count(name)).toBe(2);
      await agent.apply(spec, "remove");
    }
    expect(stage.doubles).toEqual([]);
    expect(programsWith(stage.path)).toEqual([]);
  });
});
