import { describe, expect } from "vitest";
import type { ActionSpec } from "../../src/model/action.ts";
import type { Job } from "../../src/model/job.ts";
import { RPC_ERRORS } from "../../src/rpc/errors.ts";
import { actionLike, actionOf } from "../rig/action.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import type { Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { test as alone, testInTurn } from "../rig/test.ts";

const test = testInTurn();

const declare = (agent: Agent, ...set: ActionSpec[]) => agent.call("action_apply", { project: PROJECT, set });
const run = (agent: Agent, action: string) => agent.call("action_run", { action });
const staged = (stage: Stage, name: string, ...after: string[]) =>
  actionLike(stage.spec(name), name, null, after.length > 0 ? { after } : {});

/** Waits until all jobs are over, and answers with how, by the name of their action. */
const ends = (agent: Agent) =>
  eventually(async () => {
    const { jobs } = await agent.call("job_list", {});
    expect(jobs.filter(({ ended_at }) => ended_at === null)).toEqual([]);
    return Object.fromEntries(
      jobs.toReversed().map(({ action_id, phase, error }) => [action_id, [phase, error]]),
    );
  });
const phases = async (agent: Agent): Promise<Record<string, Job["phase"]>> => {
  const { jobs } = await agent.call("job_list", {});
  return Object.fromEntries(jobs.toReversed().map(({ action_id, phase }) => [action_id, phase]));
};

describe("a run of an action that comes after others", () => {
  alone("runs each once, when all that it comes after have succeeded", async ({ agent, stage }) => {
    await declare(
      agent,
      staged(stage, "last", "left", "right"),
      staged(stage, "left", "first"),
      staged(stage, "right", "first"),
      staged(stage, "first"),
    );
    const job = await run(agent, "last");
    expect(job).toMatchObject({ action_id: "last", phase: "pending", awaits: [2, 3], id: 4 });
    const first = await stage.next("first");
    expect(await phases(agent)).toMatchObject({ left: "pending", right: "pending", last: "pending" });
    await first.exit(0);
    const [left, right] = [await stage.next("left"), await stage.next("right")];
    await left.exit(0);
    await eventually(async () => expect(await phases(agent)).toMatchObject({ left: "succeeded" }));
    expect(await phases(agent)).toMatchObject({ right: "running", last: "pending" });
    await right.exit(0);
    await (await stage.next("last")).exit(0);
    expect(Object.values(await ends(agent)).every(([phase]) => phase === "succeeded")).toBe(true);
    expect(["first", "left", "right", "last"].map((name) => stage.count(name))).toEqual([1, 1, 1, 1]);
  });

  alone("begins nothing after what failed, and says why", async ({ agent, stage }) => {
    await declare(agent, staged(stage, "c", "b"), staged(stage, "b", "a"), staged(stage, "a"));
    await run(agent, "c");
    await (await stage.next("a")).exit(3);
    expect(await ends(agent)).toEqual({
      a: ["failed", "exit 3"],
      b: ["failed", "a (job 1) failed"],
      c: ["failed", "b (job 2) failed"],
    });
    // One that cannot be started at all is over at once.
    await declare(agent, { ...staged(stage, "a"), program: "/nowhere/a" });
    await run(agent, "c");
    expect(await ends(agent)).toMatchObject({ b: ["failed", "a (job 4) failed"] });
    expect(stage.count("b") + stage.count("c")).toBe(0);
  });

  test("is cancelled whole, by whichever of its jobs", async ({ agent, stage }) => {
    await declare(agent, staged(stage, "c", "b"), staged(stage, "b", "a"), staged(stage, "a"));
    for (const name of ["c", "b", "a"]) {
      await run(agent, "c");
      const puppet = await stage.next("a");
      const { jobs } = await agent.call("job_list", { action: name, limit: 1 });
      await agent.call("job_cancel", { id: jobs[0]?.id ?? 0 });
      await puppet.gone;
      expect(Object.values(await ends(agent)).map(([phase]) => phase)).toEqual(Array(3).fill("cancelled"));
    }
  });

  test("goes on under the next agent, which hears how what came before has ended", async ({
    agent,
    stage,
  }) => {
    await declare(agent, staged(stage, "b", "a"), staged(stage, "a"));
    for (const [code, phase] of [
      [0, "succeeded"],
      [3, "failed"],
    ] as const) {
      const { id } = await run(agent, "b");
      const before = await stage.next("a");
      await eventually(async () => expect(await phases(agent)).toMatchObject({ a: "running" }));
      await agent.kill();
      await before.exit(code);
      await agent.isBack();
      if (code === 0) await (await stage.next("b")).exit(0);
      expect(await ends(agent)).toMatchObject({ b: [phase, code === 0 ? null : `a (job ${id - 1}) failed`] });
    }
    expect(stage.count("b")).toBe(1);
  });

  test("is refused whole when one of them may not run, is not there, or waits for itself", async ({
    agent,
    stage,
  }) => {
    await declare(agent, staged(stage, "b", "a"), staged(stage, "a"), staged(stage, "c", "b", "gone"));
    const { id } = await run(agent, "a");
    const puppet = await stage.next("a");
    const refused = (action: string, code: number, message: string) =>
      expect(run(agent, action)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await refused("b", RPC_ERRORS.alreadyRunning, `job ${id} of a, which comes before it, has not ended`);
    await refused("c", RPC_ERRORS.actionNotFound, "c comes after gone, which is not there");
    await puppet.exit(0);
    await ends(agent);
    await declare(agent, actionOf("a", null, { after: ["b"] }), actionOf("d", null, { after: ["d"] }));
    for (const action of ["a", "b", "d"])
      await refused(action, RPC_ERRORS.invalidParams, "some wait for each other");
    expect((await agent.call("job_list", {})).jobs).toHaveLength(1);
  });
});

test("a job that is cancelled gets the signal that its action asks for", async ({ agent }) => {
  const script = "trap 'echo told; exit 3' USR1; echo up; while :; do sleep 600 & wait; done";
  await declare(
    agent,
    actionOf("a", null, { program: "/bin/sh", args: ["-c", script], stopSignal: "SIGUSR1", grace: 600_000 }),
  );
  const { id } = await run(agent, "a");
  const lines = async () => {
    const wire = await agent.connect();
    const heard: string[] = [];
    const over = new Promise<void>((resolve) => {
      wire.onNotification = (method, params) => {
        if (method === "log") heard.push((params as { line: string }).line);
        if (method === "log_end") resolve();
      };
    });
    await wire.call("job_logs", { id });
    await over;
    wire.close();
    return heard;
  };
  await eventually(async () => expect(await lines()).toEqual(["up"]));
  await agent.call("job_cancel", { id });
  expect(await agent.call("job_get", { id })).toMatchObject({
    phase: "cancelled",
    exit_code: 3,
    signal: null,
  });
  expect(await lines()).toEqual(["up", "told"]);
});
