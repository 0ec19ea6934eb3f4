import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, vi } from "vitest";
import { reachAgent } from "../../src/backends/agent/reach.ts";
import { readText } from "../../src/system/files.ts";
import {
  agentLockPath,
  agentLogPath,
  agentRecordPath,
  programsDir,
  serverDir,
} from "../../src/system/paths.ts";
import { Agent } from "../rig/agent.ts";
import { DAMAGES } from "../rig/damage.ts";
import { eventually } from "../rig/eventually.ts";
import { planned } from "../rig/plan.ts";
import { isAlive } from "../rig/processes.ts";
import type { Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { test as alone, testInTurn } from "../rig/test.ts";

/** Where nothing is said of how an agent starts for the first time, nor of its program. */
const test = testInTurn();

afterEach(() => vi.unstubAllEnvs());

const NAMES = ["a", "b", "c"] as const;

/** Three running servers whose agent has ended. */
async function leaveServers(agent: Agent, stage: Stage): Promise<Puppet[]> {
  await agent.addAll(NAMES.map((name) => stage.spec(name)));
  const puppets = await Promise.all(NAMES.map((name) => stage.next(name)));
  await eventually(async () =>
    expect(await agent.observe()).toMatchObject(NAMES.map(() => ({ state: "running" }))),
  );
  await agent.shutdown(true);
  return puppets;
}

function tear(path: string): void {
  truncateSync(path, Math.floor(readFileSync(path).length / 2));
}

function setAside(folder: string): string[] {
  return readdirSync(folder).filter((entry) => entry.includes("set-aside"));
}

describe("the state folder", () => {
  alone("may have a path too long for a socket: the way out is told, and works", async ({ home }) => {
    const state = join(home.root, "x".repeat(120), "xy");
    await expect(reachAgent(state)).rejects.toThrow(/107 at most: set XDG_RUNTIME_DIR to a shorter folder/);

    vi.stubEnv("XDG_RUNTIME_DIR", home.env.XDG_RUNTIME_DIR);
    const agent = new Agent(state);
    expect(await agent.call("list", {})).toEqual([]);
    expect(agent.record.socket).toBe(join(home.root, "run/xy.sock"));
    await agent.shutdown(false);
  });

  alone("may be written to while its agent is told to end, which it does", async ({ home, agent, stage }) => {
    const bin = join(home.root, "bin");
    const mkfifo = home.folder.write(
      join(bin, "mkfifo"),
      [
        "#!/bin/sh",
        `PATH='${process.env.PATH}'`,
        'mkfifo "$@" || exit',
        'case "$3" in',
        // What removes the folder has seen what was in it, and finds more.
        `*/ready/*) for i in $(seq 50000); do : >"\${3%/*}/$i" || exit; done ;;`,
        "esac",
        "",
      ].join("\n"),
    );
    chmodSync(mkfifo, 0o700);
    vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
    await agent.apply(stage.spec("a"), "add", 0);
    await stage.next("a");
    await eventually(() => expect(readdirSync(join(home.state, "ready/1")).length).toBeGreaterThan(100));
    const loop = agent.record.loop?.pid ?? 0;
    await agent.shutdown(false);
    await eventually(() => expect(isAlive(loop)).toBe(false));
    expect(readText(agentLogPath(home.state))).not.toContain("the agent ended");
    expect(existsSync(agentRecordPath(home.state))).toBe(false);
  });

  alone("may be impossible to make", async ({ home }) => {
    const file = join(home.root, "file");
    writeFileSync(file, "");
    await expect(reachAgent(join(file, "xy"))).rejects.toThrow(file);
  });

  test("may be where nobody may write, not even root", async () => {
    await expect(reachAgent("/sys/xy/state")).rejects.toThrow("/sys/xy");
  });

  alone("may be open to others: it is closed to them", async ({ home, agent }) => {
    mkdirSync(home.state, { mode: 0o755 });
    await agent.client();
    expect(statSync(home.state).mode & 0o777).toBe(0o700);
  });

  test("may have a torn record of the agent", async ({ agent, stage }) => {
    const puppets = await leaveServers(agent, stage);
    writeFileSync(agentRecordPath(agent.state), '{"version":1,"pid":');
    expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ state: "running", pid })));
    expect(agent.record.pid).toBe((await agent.call("agent_info", {})).pid);
  });

  test("may lose the record of a living agent: it is written again", async ({ agent }) => {
    const { pid } = await agent.call("agent_info", {});
    rmSync(agentRecordPath(agent.state));
    const client = await agent.connect();
    expect(await client.call("agent_info", {})).toMatchObject({ pid });
    client.close();
  });

  alone("may lose the program of a living agent as well", async ({ agent }) => {
    const { pid } = await agent.call("agent_info", {});
    rmSync(programsDir(agent.state), { recursive: true });
    rmSync(agentRecordPath(agent.state));
    await eventually(() => expect(agent.record).toMatchObject({ pid }));
    expect(await agent.call("agent_info", {})).toMatchObject({ pid });
  });

  test("may have junk for a lock", async ({ agent, stage }) => {
    const puppets = await leaveServers(agent, stage);
    writeFileSync(join(agentLockPath(agent.state), "999"), "{");
    writeFileSync(join(agentLockPath(agent.state), "draft-left"), "");
    expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ state: "running", pid })));
  });

  test.for(["torn", "junk", "foreign"])(
    "may have a %s record of what runs: it is set aside, and found out",
    async (how, { agent, stage }) => {
      const puppets = await leaveServers(agent, stage);
      const folder = serverDir(agent.state, PROJECT, "b");
      const path = join(folder, "state.json");
      if (how === "torn") tear(path);
      else writeFileSync(path, how === "junk" ? "\0\0\0" : '{"version":1,"hello":"world"}');

      const specs = NAMES.map((name) => stage.spec(name));
      await eventually(async () =>
        expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ state: "running", pid }))),
      );
      expect(planned(specs, await agent.observe())).toEqual([]);
      expect(setAside(folder)).toHaveLength(1);
      expect(await agent.call("stop", { name: "b" })).toMatchObject({ stopped: ["b"] });
      expect(isAlive(puppets[1]?.pid as number)).toBe(false);
    },
  );

  alone("may have anything in the place of what the agent has for itself", async ({ agent, stage }) => {
    const puppets = await leaveServers(agent, stage);
    const kept = ["projects", "host", "key", "trust"];
    const own = readdirSync(agent.state).filter((name) => !kept.includes(name) && !name.endsWith(".1"));
    const more = ["xy.sock", "agent.json", "agent.next", "agent.previous", "agent.failed", "ready"];
    // One start of an agent each: the rest of them is tried on single files, without agents.
    const kinds = ["empty", "a folder", "a link to itself", "a pipe"];
    for (const [how, damage] of DAMAGES.filter(([kind]) => kinds.includes(kind))) {
      for (const name of new Set([...own, ...more])) damage(join(agent.state, name));
      expect(await agent.observe(), how).toMatchObject(puppets.map(({ pid }) => ({ state: "running", pid })));
      await agent.shutdown(true);
    }
  });

  test("may have a torn spec: the server runs on, and an apply makes it right", async ({ agent, stage }) => {
    const puppets = await leaveServers(agent, stage);
    const folder = serverDir(agent.state, PROJECT, "b");
    tear(join(folder, "spec.json"));

    const observed = await agent.observe();
    expect(observed).toMatchObject(puppets.map(({ pid }) => ({ state: "running", pid })));
    expect(observed.map(({ spec }) => spec?.name)).toEqual(["a", undefined, "c"]);
    expect(setAside(folder)).toHaveLength(1);
    expect(readFileSync(agentLogPath(agent.state), "utf8")).toContain(
      "p/b: what was applied to it is missing",
    );

    const specs = NAMES.map((name) => stage.spec(name));
    expect(planned(specs, observed)).toEqual(["b update"]);
    expect(await agent.apply(stage.spec("b"), "update")).toMatchObject({ ok: true });
    expect(planned(specs, await agent.observe())).toEqual([]);
    expect(stage.entries).toHaveLength(NAMES.length);
  });

  test("may have anything in the place of a server's folder: it is set aside, and told", async ({
    agent,
    stage,
  }) => {
    const puppets = await leaveServers(agent, stage);
    await agent.call("stop", { name: "b" });
    await agent.shutdown(true);
    const folder = serverDir(agent.state, PROJECT, "b");
    const kinds = ["empty", "a link to itself", "a link to nowhere", "a pipe"];
    for (const [how, damage] of DAMAGES.filter(([kind]) => kinds.includes(kind))) {
      damage(folder);
      expect(await agent.observe(), how).toMatchObject([
        { name: "a", state: "running", pid: puppets[0]?.pid },
        { name: "c", state: "running", pid: puppets[2]?.pid },
      ]);
      const [aside = "nothing"] = setAside(join(folder, ".."));
      expect(aside, how).toMatch(/^b\.set-aside-/);
      rmSync(join(folder, "..", aside));
      await agent.shutdown(true);
    }
  });

  test("may have a torn spec: the server can be stopped and removed", async ({ agent, stage }) => {
    const puppets = await leaveServers(agent, stage);
    tear(join(serverDir(agent.state, PROJECT, "b"), "spec.json"));
    await agent.call("stop", { name: "b" });
    expect(puppets.map(({ pid }) => isAlive(pid))).toEqual([true, false, true]);
    await expect(agent.call("start", { name: "b" })).rejects.toThrow("`xy apply` writes it again");
    expect(await agent.apply(stage.spec("b"), "remove")).toMatchObject({ ok: true });
    expect((await agent.observe()).map(({ name }) => name)).toEqual(["a", "c"]);
  });

  test("may have torn records of a stopped server: it stays held", async ({ agent, stage }) => {
    await leaveServers(agent, stage);
    await agent.call("stop", { name: "b" });
    await agent.shutdown(true);
    tear(join(serverDir(agent.state, PROJECT, "b"), "spec.json"));
    const specs = NAMES.map((name) => stage.spec(name));
    expect(planned(specs, await agent.observe())).toEqual(["b update"]);
    await agent.apply(stage.spec("b"), "update");
    expect(await agent.observed("b")).toMatchObject({ state: "stopped", operator: "stop" });
  });

  test.for([
    ["the pids in a run folder", forgetPids],
    ["a run folder", (run: string) => rmSync(run, { recursive: true })],
  ] as const)("may have lost %s under a living server", async ([, lose], { agent, stage, home }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    await eventually(async () => expect(await agent.observed("a")).toMatchObject({ state: "running" }));
    await agent.shutdown(true);

    lose(join(serverDir(home.state, PROJECT, "a"), "run"));

    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid });
    expect(await agent.call("stop", { name: "a" })).toMatchObject({ stopped: ["a"] });
    expect(isAlive(puppet.pid)).toBe(false);
    expect(stage.entries).toHaveLength(1);
  });
});

function forgetPids(run: string): void {
  for (const inc of readdirSync(run)) {
    for (const file of ["keeper", "pid"]) writeFileSync(join(run, inc, file), "");
  }
}
