import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { AgentBackend } from "../../src/backends/agent/backend.ts";
import type { ProcessId } from "../../src/model/process.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { bootId, identify } from "../../src/system/processes.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { changeOf, PROJECT, readyOn } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

interface Session {
  readonly id: ProcessId;
  die(): Promise<void>;
}

/** A process that stands for an `xy up`. */
async function session(): Promise<Session> {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const id = identify(child.pid ?? 0);
  if (!id) throw new Error("the session did not start");
  const die = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { id, die };
}

async function applyAs(agent: Agent, { id }: Session, spec: ServerSpec, action: "add" | "restart" | "start") {
  const backend = new AgentBackend(agent.state, id);
  const { signal } = new AbortController();
  const result = await backend.perform(changeOf(spec, action), { secrets: {}, waitMs: 0, signal });
  await backend.close();
  expect(result).toMatchObject({ ok: true });
}

const stateOf = async (agent: Agent, name: string) => (await agent.observed(name)).state;
const stopped = { state: "stopped", operator: null, reason: "the `xy up` that started it has ended" };

test("what a session started ends with its process, and nothing else does", async ({ agent, stage }) => {
  const own = await session();
  const other = await session();
  const before = stage.spec("before");
  await agent.apply(before, "add", 0);
  await applyAs(agent, own, { ...before, args: [...before.args, "more"] }, "restart");
  for (const name of ["mine", "taken", "restarted"]) await applyAs(agent, own, stage.spec(name), "add");
  await applyAs(agent, other, stage.spec("theirs"), "add");
  await agent.call("start", { name: "taken" });
  await agent.call("restart", { name: "restarted" });
  expect(await agent.observed("mine")).toMatchObject({ startedBy: { by: "session", session: own.id } });
  expect(await agent.observed("before")).toMatchObject({ startedBy: { by: "apply" } });
  expect(await agent.observed("taken")).toMatchObject({ startedBy: { by: "operator" } });

  await own.die();
  await eventually(async () => expect(await agent.observed("mine")).toMatchObject(stopped));
  for (const name of ["before", "taken", "restarted", "theirs"])
    expect(await stateOf(agent, name)).toBe("running");
});

test("a start of all leaves what runs to whom it belongs, and takes over what it starts", async ({
  agent,
  stage,
}) => {
  const own = await session();
  for (const name of ["runs", "rests"]) await applyAs(agent, own, stage.spec(name), "add");
  await agent.call("stop", { name: "rests" });
  expect(await agent.call("start", { all: true })).toEqual({
    started: ["rests"],
    already_running: ["runs"],
    failed: [],
  });
  expect(await agent.observed("runs")).toMatchObject({ startedBy: { by: "session", session: own.id } });
  expect(await agent.observed("rests")).toMatchObject({ startedBy: { by: "operator" } });
  await own.die();
  await eventually(async () => expect(await agent.observed("runs")).toMatchObject(stopped));
  expect(await stateOf(agent, "rests")).toBe("running");
});

test("a session's end is noticed over the death of the agent, before it and after", async ({
  agent,
  stage,
}) => {
  for (const [i, order] of (["agent first", "session first"] as const).entries()) {
    const own = await session();
    const name = `s${i}`;
    await applyAs(agent, own, stage.spec(name), "add");
    await stage.next(name);
    if (order === "agent first") {
      await agent.kill();
      await agent.isBack();
      expect(await agent.observed(name)).toMatchObject({ state: "running", startedBy: { by: "session" } });
      await own.die();
    } else {
      await agent.kill();
      await own.die();
      await agent.isBack();
    }
    await eventually(async () => expect(await agent.observed(name)).toMatchObject(stopped));
  }
  expect(stage.entries).toHaveLength(2);
});

test("a crash loop ends with its session too", async ({ agent, stage }) => {
  const own = await session();
  const spec = stage.spec("loop", { restart: { backoffInitial: 60_000, backoffMax: 60_000 } });
  await applyAs(agent, own, spec, "add");
  void (await stage.next("loop")).exit(7);
  await eventually(async () => expect(await stateOf(agent, "loop")).toBe("restarting"));
  await own.die();
  await eventually(async () => expect(await stateOf(agent, "loop")).toBe("stopped"));
});

test("an agent starts what ran with the one before, but not for a session that is gone", async ({
  agent,
  stage,
}) => {
  const own = await session();
  await applyAs(agent, own, stage.spec("mine"), "add");
  await agent.apply(stage.spec("kept"), "add", 0);
  await Promise.all([stage.next("mine"), stage.next("kept")]);
  await agent.shutdown(false);
  await own.die();
  await agent.client();
  await stage.next("kept");
  expect(await agent.observed("mine")).toMatchObject(stopped);
});

test("a reboot ends sessions and pauses, and starts what else had run", async ({ agent, stage }) => {
  const own = await session();
  await applyAs(agent, own, stage.spec("mine"), "add");
  await agent.apply(stage.spec("paused"), "add", 0);
  await Promise.all([stage.next("mine"), stage.next("paused")]);
  await agent.call("pause", { all: true });
  await agent.shutdown(false);
  for (const name of ["mine", "paused"]) {
    const record = join(agent.state, "projects", PROJECT, "servers", name, "state.json");
    writeFileSync(record, readFileSync(record, "utf8").replaceAll(bootId(), "the-boot-before"));
  }
  await agent.client();
  await stage.next("paused");
  expect((await agent.observed("paused")).paused).toBeUndefined();
  expect(await agent.observed("mine")).toMatchObject(stopped);
});

test("session_end stops what the session started, answers when that is done, and leaves what was stopped", async ({
  agent,
  stage,
}) => {
  const own = await session();
  for (const name of ["a", "b", "c"]) await applyAs(agent, own, stage.spec(name), "add");
  await Promise.all(["a", "b", "c"].map((name) => stage.next(name)));
  await agent.call("stop", { name: "c" });
  const { stopped: names, failed } = await agent.call("session_end", { session: own.id });
  expect([names.sort(), failed]).toEqual([["a", "b"], []]);
  expect(await agent.observed("a")).toMatchObject(stopped);
  expect(await agent.observed("c")).toMatchObject({ state: "stopped", operator: "stop" });
  expect(await agent.call("session_end", { session: own.id })).toEqual({ stopped: [], failed: [] });
});

test("a session that dies ends what it started again, like what it started first", async ({
  agent,
  stage,
}) => {
  const own = await session();
  const spec = stage.spec("again");
  await agent.apply(spec, "add", 0);
  await stage.next("again");
  await agent.call("stop", { name: "again" });
  await agent.call("start", { name: "again" });
  const { pid } = await stage.next("again");
  await agent.apply({ ...spec, wanted: "stop" }, "stop", 0);
  await applyAs(agent, own, spec, "start");
  expect((await stage.next("again")).pid).not.toBe(pid);
  await own.die();
  await eventually(async () => expect(await stateOf(agent, "again")).toBe("stopped"));
});

test("a wait for a dependency ends with its session, for the next agent too", async ({ agent, stage }) => {
  const own = await session();
  await agent.apply(stage.spec("db", { readiness: readyOn("^ready$") }), "add", 0);
  const db = await stage.next("db");
  const web = stage.spec("web", { dependsOn: [{ server: "db", condition: "ready" }] });
  await applyAs(agent, own, web, "add");
  expect(await agent.call("session_end", { session: own.id })).toEqual({ stopped: ["web"], failed: [] });
  await agent.kill();
  await agent.isBack();
  expect((await agent.observed("web")).waitsFor).toBeUndefined();
  await db.do({ deed: "write", stream: "out", text: "ready\n" });
  await eventually(async () => expect(await agent.observed("db")).toMatchObject({ ready: { status: "ok" } }));
  expect(stage.count("web")).toBe(0);
});
