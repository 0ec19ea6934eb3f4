import { join } from "node:path";
import { describe, expect } from "vitest";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort, greetingOf } from "../rig/port.ts";
import { groupMembers, groupOf, isAlive, programsWith } from "../rig/processes.ts";
import { readyOnPort, serverSpec, shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const LISTENER = join(import.meta.dirname, "../rig/listener-program.mjs");

/** The one in whose hands the port is, once it is another than `before`. */
function holder(port: number, before?: number): Promise<number> {
  return eventually(async () => {
    const pid = Number((await greetingOf(port)).replace("pid ", ""));
    if (pid === before) throw new Error(`pid ${before} still holds the port`);
    return pid;
  });
}

async function killWrapper(agent: Agent, name: string): Promise<number> {
  const { pid } = await agent.observed(name);
  process.kill(pid as number, "SIGKILL");
  return pid as number;
}

describe("a server's process group", () => {
  test("is gone after a stop, with grandchildren that ignore signals", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a", { stop: { grace: 200 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    const orphans = [await puppet.do({ deed: "fork" }), await puppet.do({ deed: "fork" })] as number[];
    const group = groupOf(puppet.pid);
    expect(orphans.map(groupOf)).toEqual([group, group]);

    expect(await agent.call("stop", { name: "a" })).toEqual({ stopped: ["a"], not_running: [], failed: [] });

    // But its keeper, which leads the group, and has no words any more while it ends.
    expect(groupMembers(group).filter(({ pid }) => pid !== group)).toEqual([]);
    expect([puppet.pid, ...orphans].map(isAlive)).toEqual([false, false, false]);
    await eventually(() => expect(groupMembers(group)).toEqual([]));
  });

  test("is gone before a successor starts, when its main process ended by itself", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a", { stop: { grace: 200 } }), "add", 0);
    const puppet = await stage.next("a");
    const orphan = (await puppet.do({ deed: "fork" })) as number;

    await puppet.exit(1);

    const successor = await stage.next("a");
    expect(isAlive(orphan)).toBe(false);
    expect(stage.doubles).toEqual([]);
    expect(await agent.observed("a")).toMatchObject({ pid: successor.pid, restartCount: 1 });
  });

  test("is killed at once by a kill", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a", { stop: { grace: 3_600_000 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    const orphan = (await puppet.do({ deed: "fork" })) as number;
    expect(await agent.call("kill", { name: "a" })).toEqual({ killed: ["a"], not_running: [], failed: [] });
    expect([puppet.pid, orphan].map(isAlive)).toEqual([false, false]);
  });

  test("has the wrapper's child that holds the port: the successor binds it (sh)", async ({ agent }) => {
    const port = await freePort();
    const script = `"${process.execPath}" "${LISTENER}" ${port}; echo over`;
    const spec = shellSpec("a", script, { port, readiness: readyOnPort(port), stop: { grace: 200 } });
    expect(await agent.apply(spec)).toMatchObject({ ok: true });
    const child = await holder(port);

    const wrapper = await killWrapper(agent, "a");
    expect(child).not.toBe(wrapper);

    await holder(port, child);
    expect(isAlive(child)).toBe(false);
    expect(programsWith(`${LISTENER} ${port}`)).toHaveLength(1);
    expect(await agent.observed("a")).toMatchObject({ state: "running", restartCount: 1 });
  });

  test("has the wrapper's child that holds the port: the successor binds it (node)", async ({ agent }) => {
    const port = await freePort();
    const wrapping = `require("child_process").spawn(process.execPath, process.argv.slice(1), {stdio: "inherit"})`;
    const spec = serverSpec("a", process.execPath, ["-e", wrapping, LISTENER, String(port)], {
      port,
      readiness: readyOnPort(port),
      stop: { grace: 200 },
    });
    expect(await agent.apply(spec)).toMatchObject({ ok: true });
    let child = await holder(port);

    for (const restartCount of [1, 2, 3]) {
      await killWrapper(agent, "a");
      const before = child;
      child = await holder(port, before);
      expect(isAlive(before)).toBe(false);
      await eventually(async () =>
        expect(await agent.observed("a")).toMatchObject({
          state: "running",
          restartCount,
          ready: { status: "ok" },
        }),
      );
    }
  });
});

describe("a server whose keeper was killed", () => {
  test("goes on, is seen, and can be stopped", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");

    process.kill(puppet.hello.ppid, "SIGKILL");
    await eventually(() => expect(isAlive(puppet.hello.ppid)).toBe(false));

    await puppet.do({ deed: "write", stream: "out", text: "still here\n" });
    const heard = await agent.follow("a", { tail: 10 });
    await heard.until(({ lines }) => lines.some(({ line }) => line === "still here"));
    heard.close();
    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid, restartCount: 0 });
    expect(await agent.call("stop", { name: "a" })).toMatchObject({ stopped: ["a"] });
    expect(isAlive(puppet.pid)).toBe(false);
    expect(await agent.observed("a")).toMatchObject({ state: "stopped", operator: "stop" });
  });

  test("is taken up by the next agent, and restarted with one successor when it ends", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    process.kill(puppet.hello.ppid, "SIGKILL");
    await agent.kill();
    await agent.isBack();

    await puppet.do({ deed: "write", stream: "out", text: "still here\n" });
    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid, restartCount: 0 });

    await puppet.exit(5);
    const successor = await stage.next("a");
    expect(stage.doubles).toEqual([]);
    await eventually(async () =>
      expect(await agent.observed("a")).toMatchObject({
        state: "running",
        pid: successor.pid,
        restartCount: 1,
        lastExit: { exit: { kind: "unknown" } },
      }),
    );
    expect(await agent.call("stop", { name: "a" })).toMatchObject({ stopped: ["a"] });
  });
});
