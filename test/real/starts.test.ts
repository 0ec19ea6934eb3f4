import { execFileSync } from "node:child_process";
import { describe, expect, type TestContext } from "vitest";
import { why } from "../../src/model/why.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort } from "../rig/port.ts";
import { readyOn, readyOnPort, serverSpec, shellSpec } from "../rig/spec.ts";
import { test as alone, testInTurn } from "../rig/test.ts";

const test = testInTurn();

/** It would end anything that is not there at once. */
const impatient = (port: number) =>
  ({
    type: "tcp",
    port,
    interval: 10,
    timeout: 2000,
    startPeriod: 0,
    failureThreshold: 1,
    successThreshold: 1,
  }) as const;

async function told(agent: Agent, name: string): Promise<string> {
  return why(await agent.observed(name), Date.now());
}

describe("a start", () => {
  test("may be slow: liveness begins when it is over, also with another agent and another spec", async ({
    agent,
    stage,
  }) => {
    const port = await freePort();
    const spec = stage.spec("db", { port, readiness: readyOnPort(port), liveness: impatient(port) });
    await agent.apply(spec, "add", 0);
    const puppet = await stage.next("db");
    await eventually(async () =>
      expect((await agent.observed("db")).ready.evidence).toContain("nothing listens"),
    );
    await agent.kill();
    await agent.isBack();
    await agent.apply({ ...spec, description: "slow" }, "update", 0);
    await eventually(async () =>
      expect((await agent.observed("db")).ready.evidence).toContain("nothing listens"),
    );
    expect(await agent.observed("db")).toMatchObject({
      state: "running",
      pid: puppet.pid,
      restartCount: 0,
      healthy: { status: "unknown" },
    });
    await puppet.do({ deed: "listen", port });
    await eventually(async () =>
      expect(await agent.observed("db")).toMatchObject({
        pid: puppet.pid,
        ready: { status: "ok" },
        healthy: { status: "ok" },
      }),
    );
    expect(stage.count("db")).toBe(1);
  });

  test("that misses its start-timeout is ended, and three of them in a row are enough", async ({
    agent,
    stage,
  }) => {
    const port = await freePort();
    const spec = stage.spec("db", { port, readiness: readyOnPort(port), startTimeout: 300 });
    const outcome = await agent.apply(spec, "add");
    expect(outcome).toMatchObject({
      ok: false,
      message: expect.stringMatching(
        /^not ready within its start-timeout of 300ms: nothing listens .*; 3 starts in a row took too long$/,
      ),
    });
    expect(await agent.observed("db")).toMatchObject({ state: "failed", restartCount: 2 });
    expect(await told(agent, "db")).toMatch(/^db failed .*: not ready within its start-timeout of 300ms/);
  });

  test("that ends well before it was ready has failed, at once, and nothing that depends on it starts", async ({
    agent,
  }) => {
    const port = await freePort();
    const outcome = await agent.apply(shellSpec("db", "echo usage: db FILE", { port }), "add");
    expect(outcome).toMatchObject({
      ok: false,
      message: "exit 0 before it was ready: it may have gone into the background, or only printed its usage",
      lastLines: ["usage: db FILE"],
    });
    const web = serverSpec("web", "/bin/sleep", ["600"], {
      dependsOn: [{ server: "db", condition: "started" }],
    });
    expect(await agent.apply(web, "add")).toMatchObject({ ok: false, waitsFor: [{ server: "db" }] });
    expect(await agent.observed("db")).toMatchObject({ state: "failed", restartCount: 0 });
  });

  test("of a program that is a job ends well when it ends well", async ({ agent }) => {
    expect(await agent.apply(shellSpec("seed", "exit 0"), "add")).toMatchObject({
      ok: true,
      detail: "ran, and ended with success",
    });
  });

  test("is over with its line, also when that is the last it says", async ({ agent }) => {
    const spec = shellSpec("seed", "seq 1 300; echo ready; exit 0", { readiness: readyOn("^ready$") });
    for (const action of ["add", "start", "start"] as const) {
      expect(await agent.apply(spec, action)).toMatchObject({ ok: true });
      await eventually(async () =>
        expect(await agent.observed("seed")).toMatchObject({
          state: "stopped",
          reason: "ended with success",
        }),
      );
    }
    const silent = shellSpec("mute", "seq 1 300; exit 0", { readiness: readyOn("^ready$") });
    expect(await agent.apply(silent, "add")).toMatchObject({ ok: false });
  });

  alone("that finds no free descriptor is tried again, and comes to be", async ({ agent, stage, skip }) => {
    await agent.apply(stage.spec("db"), "add", 0);
    const first = await stage.next("db");
    const { pid } = await agent.call("agent_info", {});
    const openFiles = limitOf(skip);
    await agent.call("pause", { name: "db" });
    void first.exit(7);
    await eventually(async () => expect(await agent.observed("db")).not.toHaveProperty("pid"));
    openFiles(pid, 5);
    try {
      await agent.call("resume", { name: "db" });
      await eventually(async () =>
        expect(await agent.observed("db")).toMatchObject({
          state: "restarting",
          reason: expect.stringMatching(/EMFILE.*; starts again after/),
        }),
      );
    } finally {
      openFiles(pid, 1024);
    }
    await stage.next("db");
    await eventually(async () => expect(await agent.observed("db")).toMatchObject({ state: "running" }));
  });
});

function limitOf(skip: TestContext["skip"]): (pid: number, files: number) => void {
  if (process.platform !== "linux") skip("needs prlimit(1) of Linux");
  return (pid, files) => void execFileSync("prlimit", [`--pid=${pid}`, `--nofile=${files}:`]);
}

describe("a server that wants more open files than its agent may have", () => {
  alone("is not started, and both numbers are said", async ({ agent, stage, skip }) => {
    const { pid } = await agent.call("agent_info", {});
    if (process.platform !== "linux") skip("needs prlimit(1) of Linux");
    execFileSync("prlimit", [`--pid=${pid}`, "--nofile=600:600"]);
    const wants = (openFiles: number) => stage.spec("db", { limits: { openFiles } });
    const refusal = "cannot start: limits.open-files is 601, and the agent's hard limit allows 600 at most";
    expect(await agent.apply(wants(601), "add")).toMatchObject({
      ok: false,
      message: expect.stringContaining(refusal),
    });
    await expect(agent.call("start", { name: "db" })).rejects.toThrow(refusal);
    expect(await agent.observed("db")).toMatchObject({ state: "failed", restartCount: 0 });
    expect(await told(agent, "db")).toContain(refusal);
    expect(await agent.apply(wants(600), "restart")).toMatchObject({ ok: true });
    // What runs goes on with what it has, when a change of it cannot be started.
    expect(await agent.apply(wants(5000), "restart")).toMatchObject({ ok: false });
    await eventually(async () => expect(await agent.observed("db")).toMatchObject({ state: "running" }));
    expect(stage.count("db")).toBe(2);
  });
});

describe("an apply", () => {
  test("that leaves a new server stopped says so, each time", async ({ agent, stage }) => {
    const port = await freePort();
    const spec = stage.spec("db", { port, readiness: readyOnPort(port) });
    for (const action of ["add", "start"] as const) {
      const outcome = await agent.apply(spec, action, 500);
      expect(outcome).toMatchObject({
        ok: false,
        message: expect.stringMatching(/^not ready after 500ms: .*; it is left stopped$/),
      });
      expect(await agent.observed("db")).toMatchObject({
        state: "stopped",
        reason: expect.stringMatching(/^an apply left it stopped: not ready after 500ms: /),
      });
    }
    expect(await told(agent, "db")).toMatch(
      /^db stopped .*: an apply left it stopped: not ready after 500ms/,
    );
  });

  test("that gives up on one that keeps ending has it failed", async ({ agent }) => {
    const spec = shellSpec("db", "exit 7", { restart: { backoffInitial: 60_000, backoffMax: 60_000 } });
    const outcome = await agent.apply(spec, "add", 500);
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining("it is left stopped") });
    expect(await agent.observed("db")).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^an apply left it stopped: .*exit 7/),
    });
    expect(await told(agent, "db")).toMatch(/^db failed .*: an apply left it stopped: .*exit 7/);
  });

  test("that puts a version back leaves word of it, until another one is applied", async ({
    agent,
    stage,
  }) => {
    const spec = stage.spec("db");
    await agent.apply(spec, "add");
    const changed = stage.spec("db", { readiness: readyOn("never"), env: { NEW: "1" } });
    expect(await agent.apply(changed, "restart", 300)).toMatchObject({ ok: false });
    await agent.kill();
    await agent.isBack();
    expect(await agent.observed("db")).toMatchObject({
      state: "running",
      restored: { because: expect.stringMatching(/^not ready after 300ms/) },
    });
    expect(await told(agent, "db")).toMatch(
      /It has its previous version: .* an apply put that back, because the new one was not ready after 300ms/,
    );
    await agent.apply({ ...spec, description: "another" }, "update");
    expect((await agent.observed("db")).restored).toBeUndefined();
  });
});

test("whoever ends a server is named", async ({ agent, stage }) => {
  const reason = async () => (await agent.observed("db")).reason;
  await agent.apply(stage.spec("db"), "add");
  await agent.call("stop", { name: "db" });
  expect(await reason()).toBe("its operator stopped it");
  await agent.call("start", { name: "db" });
  await agent.call("kill", { name: "db" });
  expect(await reason()).toBe("its operator killed it");
  await agent.call("start", { name: "db" });
  await agent.call("restart", { name: "db" });
  await agent.apply(stage.spec("db", { env: { A: "1" } }), "restart");
  await agent.apply(stage.spec("db", { wanted: "stop" }), "stop");
  expect(await reason()).toBe("an apply stopped it: its configuration wants it stopped");
  const { recent_transitions: all } = await agent.call("status", { name: "db" });
  expect(all.flatMap((step) => step.reason ?? [])).toEqual([
    "its operator stopped it",
    "its operator stopped it",
    "its operator killed it",
    "its operator killed it",
    "its operator restarts it",
    "an apply restarts it",
    "an apply stopped it: its configuration wants it stopped",
    "an apply stopped it: its configuration wants it stopped",
  ]);
});
