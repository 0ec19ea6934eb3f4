import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { describe, expect } from "vitest";
import { lockHolder, tryLock } from "../../src/system/lock.ts";
import { agentEntryPath } from "../../src/system/package.ts";
import { agentLockPath } from "../../src/system/paths.ts";
import { projectLockPath } from "../../src/system/projects.ts";
import { DAMAGES } from "../rig/damage.ts";
import { eventually } from "../rig/eventually.ts";
import type { Home } from "../rig/home.ts";
import { killGroup, processes } from "../rig/processes.ts";
import { PROJECT } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

const PUPPET = join(import.meta.dirname, "../rig/puppet-lock.ts");
const CONTENDERS = 20;
const TURNS = 5;

/** The agent's program itself, without the loop that would bring it back. */
function runAgent(home: Home, ...more: string[]): ChildProcess {
  return spawn(process.execPath, [agentEntryPath(), "--state", home.state, ...more], {
    env: home.env,
    stdio: "ignore",
  });
}

async function end(child: ChildProcess): Promise<number | string> {
  const [code, signal] = await once(child, "exit");
  return code ?? signal;
}

describe("one state folder", () => {
  test("has one agent: a second one ends with 75", async ({ home, agent }) => {
    const { pid } = await agent.call("agent_info", {});
    expect(await end(runAgent(home))).toBe(75);
    expect(await agent.call("agent_info", {})).toMatchObject({ pid });
  });

  test("has one agent, also when its lock was removed, or something has its place", async ({
    home,
    agent,
  }) => {
    const { pid } = await agent.call("agent_info", {});
    for (const [how, damage] of DAMAGES.filter(([kind]) => kind === "gone" || kind === "empty")) {
      damage(agentLockPath(home.state));
      await eventually(() => expect(lockHolder(agentLockPath(home.state))?.pid, how).toBe(pid));
      expect(await end(runAgent(home))).toBe(75);
    }
  });

  test("has one agent when many are started at once, and a dead one's lock is taken over", async ({
    home,
  }) => {
    const children = [...Array(6)].map(() => runAgent(home));
    const ends = children.map(end);
    const holder = await eventually(() => {
      const found = lockHolder(agentLockPath(home.state));
      if (!found) throw new Error("nobody has the lock");
      return found;
    });
    const winner = children.findIndex(({ pid }) => pid === holder.pid);
    expect(await Promise.all(ends.toSpliced(winner, 1))).toEqual([75, 75, 75, 75, 75]);
    children[winner]?.kill("SIGKILL");
    expect(await ends[winner]).toBe("SIGKILL");

    const successor = runAgent(home);
    await eventually(() => expect(lockHolder(agentLockPath(home.state))?.pid).toBe(successor.pid));
    successor.kill("SIGTERM");
    expect(await end(successor)).toBe(0);
    expect(lockHolder(agentLockPath(home.state))).toBeUndefined();
  });
});

describe("an agent whose loop is killed", () => {
  test("starts another one, and gives way to an agent under that", async ({ home, agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const { pid } = await stage.next("a");
    const before = agent.record;
    process.kill(before.loop?.pid as number, "SIGKILL");
    await eventually(() => expect(agent.record.pid).not.toBe(before.pid));
    expect(agent.record.loop?.pid).not.toBe(before.loop?.pid);
    await agent.isBack();
    expect(await agent.observe()).toMatchObject([{ pid, state: "running", restartCount: 0 }]);
    expect(lockHolder(agentLockPath(home.state))?.pid).toBe(agent.record.pid);
    await agent.kill();
    await agent.isBack();
  });

  test("and the loop that it starts as well, before it has given way, starts a third", async ({ agent }) => {
    await agent.call("agent_info", {});
    const before = agent.record;
    // It gives way to nobody while this goes on.
    const attempt = tryLock(projectLockPath(agent.state, PROJECT));
    process.kill(before.loop?.pid as number, "SIGKILL");
    const second = await eventually(() => {
      const found = processes().find(
        // One that has just been forked may be seen with its new words, and still in the group of the agent.
        ({ pid, group, command }) => pid === group && command.includes(`agent.sh ${agent.state} --take-over`),
      );
      if (!found) throw new Error("no loop is started");
      return found;
    });
    killGroup(second.group);
    if (attempt.held) attempt.lock.release();
    await eventually(() => expect(agent.record.pid).not.toBe(before.pid));
  });

  test("before it has looked for it does the same", async ({ home, agent }) => {
    await agent.call("agent_info", {});
    await agent.shutdown(true);
    const alone = runAgent(home, "--loop", "999999999");
    const ended = end(alone);
    await eventually(() => expect(agent.record.loop).toBeDefined());
    expect(agent.record.pid).not.toBe(alone.pid);
    expect(await ended).toBe(0);
  });
});

describe("a lock", () => {
  test("has one holder at a time, however many want it and however they end", async ({ home }) => {
    const [lock, marker, history] = ["lock", "marker", "history"].map((name) => join(home.root, name)) as [
      string,
      string,
      string,
    ];
    // Bundled once: to translate its modules takes each of them ten times as long as all else that it does.
    const puppet = join(home.root, "puppet-lock.mjs");
    const bundle = await rolldown({ input: PUPPET, platform: "node" });
    await bundle.write({ file: puppet, format: "esm" });
    await bundle.close();
    const contenders = [...Array(CONTENDERS)].map(() =>
      spawn(process.execPath, [puppet, lock, marker, history, String(TURNS)], {
        env: home.env,
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    expect(await Promise.all(contenders.map(end))).toEqual(contenders.map(() => "SIGKILL"));
    const held = readFileSync(history, "utf8").trim().split("\n").map(Number);
    expect(held).toHaveLength(CONTENDERS * TURNS);
    for (const { pid } of contenders) expect(held.filter((holder) => holder === pid)).toHaveLength(TURNS);
    expect(lockHolder(lock)).toBeUndefined();
  });
});
