import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { tryLock } from "../../src/system/lock.ts";
import { programPaths, programsDir } from "../../src/system/paths.ts";
import { projectLockPath } from "../../src/system/projects.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import type { Home } from "../rig/home.ts";
import { countsOf } from "../rig/log-file.ts";
import { otherVersion } from "../rig/package.ts";
import { processes } from "../rig/processes.ts";
import type { Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

const NAMES = ["a", "b", "c"];

/** Versions that differ from today's by their names alone, beside all homes: those tests share that do nothing to them. */
const others = new Map<string, string>();
function plainVersion(version: string): string {
  const launcher =
    others.get(version) ?? otherVersion(join(mkdtempSync(join(tmpdir(), "other-")), version), version);
  others.set(version, launcher);
  return launcher;
}

interface Outcome {
  readonly code: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a command printed.
  readonly document: any;
}

/** `xy agent upgrade --json` of some installation of xy. */
async function upgrade(home: Home, launcher: string, ...flags: string[]): Promise<Outcome> {
  const argv = [launcher, "agent", "upgrade", "--json", ...flags];
  const run = promisify(execFile)(process.execPath, argv, { env: home.env });
  const { code = 0, stdout } = await run.catch((error) => error);
  return { code, document: JSON.parse(stdout) };
}

/** Three servers that print a lot, and one of them more than a pipe takes while nobody reads. */
async function loudServers(agent: Agent, stage: Stage): Promise<Puppet[]> {
  await agent.addAll(NAMES.map((name) => stage.spec(name)));
  const puppets = await Promise.all(NAMES.map((name) => stage.next(name)));
  for (const [i, puppet] of puppets.entries())
    await puppet.do({ deed: "chatter", lines: i === 0 ? 50 : 5, everyMs: 5 });
  return puppets;
}

async function expectNothingLost(home: Home, agent: Agent, puppets: readonly Puppet[]): Promise<void> {
  const counts = (await Promise.all(puppets.map((puppet) => countsOf(home.state, puppet)))).flat();
  expect(counts).toHaveLength(6);
  for (const count of counts) expect(count).toMatchObject({ missing: 0, gaps: 0, misplaced: 0, torn: 0 });
  expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ pid, restartCount: 0 })));
}

/** The loops and agents of a home. */
const machinery = (home: Home) =>
  processes().filter(({ command }) => /agent\.sh|agent\.js/.test(command) && command.includes(home.root));

describe("an upgrade", () => {
  test("restarts no server and loses no line, however often", async ({ home, agent, stage }) => {
    const versions = ["0.98.0", "0.99.0"].map(plainVersion);
    const puppets = await loudServers(agent, stage);
    let from = (await agent.call("agent_info", {})).version;
    for (let turn = 0; turn < 6; turn++) {
      await agent.hears(NAMES[turn % NAMES.length] as string, 1 + turn * 20);
      const to = turn % 2 === 0 ? "0.98.0" : "0.99.0";
      const { code, document } = await upgrade(home, versions[turn % 2] as string);
      expect({ code, document }).toEqual({
        code: 0,
        document: { upgraded: true, running: true, from, to, servers: 3, away_ms: expect.any(Number) },
      });
      console.log(`socket away for ${document.away_ms} ms`);
      expect(await agent.call("agent_info", {})).toMatchObject({ version: to, servers: 3 });
      from = to;
    }
    await expectNothingLost(home, agent, puppets);
    // One loop and one agent, however many there were.
    expect(machinery(home)).toHaveLength(2);
  });

  test("is heard of by nobody who asks meanwhile", async ({ home, agent, stage }) => {
    const launcher = plainVersion("0.99.0");
    await agent.apply(stage.spec("a"), "add", 0);
    const upgrading = upgrade(home, launcher);
    let over = false;
    void upgrading.then(() => {
      over = true;
    });
    let asked = 0;
    while (!over) {
      const client = await agent.connect();
      // Connected to one that goes: nobody is answered by that.
      const list = await client.call("list", {}).catch(() => undefined);
      if (list) expect(list).toMatchObject([{ name: "a", restart_count: 0 }]);
      client.close();
      asked++;
    }
    expect(await upgrading).toMatchObject({ code: 0, document: { to: "0.99.0" } });
    expect(asked).toBeGreaterThan(0);
    expect(machinery(home)).toHaveLength(2);
  });

  test("brings back the new version after a crash, also when its package is gone", async ({
    home,
    agent,
  }) => {
    const launcher = otherVersion(join(home.root, "other"), "0.99.0", [
      "await registry.adoptAll();",
      'await registry.adoptAll(); if (!fs.existsSync(state)) throw new Error("never");',
    ]);
    await agent.call("agent_info", {});
    expect(await upgrade(home, launcher)).toMatchObject({ code: 0 });
    rmSync(join(home.root, "other"), { recursive: true });
    await agent.kill();
    await agent.isBack();
    expect(await agent.call("agent_info", {})).toMatchObject({ version: "0.99.0" });
    expect(readdirSync(programsDir(home.state))).toHaveLength(2);
  });

  test("does nothing to an agent of its version, or to none", async ({ home, agent }) => {
    const own = join(import.meta.dirname, "../../bin/xy.js");
    expect(await upgrade(home, own)).toMatchObject({
      code: 0,
      document: { upgraded: false, running: false },
    });
    const { pid } = await agent.call("agent_info", {});
    expect(await upgrade(home, own)).toMatchObject({ code: 0, document: { upgraded: false, running: true } });
    expect(await agent.call("agent_info", {})).toMatchObject({ pid });
    expect(await upgrade(home, own, "--force")).toMatchObject({ code: 0, document: { upgraded: true } });
    expect((await agent.call("agent_info", {})).pid).not.toBe(pid);
  });
});

describe("an apply that is under way", () => {
  test("is not cut short by an upgrade", async ({ home, agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const before = agent.record.pid;
    const attempt = tryLock(projectLockPath(home.state, PROJECT));
    const launcher = plainVersion("0.99.0");
    expect(await upgrade(home, launcher)).toEqual({
      code: 75,
      document: {
        error: { code: 75, message: expect.stringMatching(/^cannot hand over while an apply of /) },
      },
    });
    expect(agent.record.pid).toBe(before);
    if (attempt.held) attempt.lock.release();
    expect(await upgrade(home, launcher)).toMatchObject({ code: 0 });
  });
});

describe("an agent that changes its mind while the new one is tried out", () => {
  /** A program that is tried out until the test says so. */
  async function tryOut(home: Home, agent: Agent) {
    const [script, tried, over] = ["late.sh", "tried", "over"].map((name) => join(home.root, name)) as [
      string,
      string,
      string,
    ];
    const wait = `echo >'${tried}'; until [ -e '${over}' ]; do sleep 0.02; done; echo '{"version":"9.9.9"}'`;
    writeFileSync(script, wait);
    const upgrading = agent.call("agent_upgrade", { node: "/bin/sh", entry: script });
    upgrading.catch(() => {});
    await eventually(() => expect(existsSync(tried)).toBe(true));
    return { upgrading, end: () => writeFileSync(over, "") };
  }

  test("hands over to nobody when it is being stopped", async ({ home, agent, stage }) => {
    await agent.apply(stage.spec("slow"), "add", 0);
    const slow = await stage.next("slow");
    await slow.do({ deed: "ignore", signal: "SIGTERM" });
    const { upgrading, end } = await tryOut(home, agent);
    const client = await agent.client();
    const stopping = client.call("agent_shutdown", {});
    await eventually(async () => expect(await agent.observed("slow")).toMatchObject({ state: "stopping" }));
    end();
    await expect(upgrading).rejects.toThrow("cannot upgrade: the agent is being stopped");
    process.kill(slow.pid, "SIGKILL");
    expect(await stopping).toEqual({ stopped: ["slow"], left: [] });
    await client.closed;
    await eventually(() => expect(machinery(home)).toEqual([]));
    expect(existsSync(programPaths(home.state).next)).toBe(false);
  });

  test("goes on when its loop is killed, which would have started the new one", async ({ home, agent }) => {
    const { upgrading, end } = await tryOut(home, agent);
    process.kill(agent.record.loop?.pid as number, "SIGKILL");
    end();
    await expect(upgrading).rejects.toThrow("that nothing restarts");
    await agent.isBack();
  });
});

describe("an upgrade to an agent that", () => {
  const ADOPTS = "await registry.adoptAll();";

  // Only of one that hangs the bound is what is looked at: the others take as long as they take.
  test.for<{ title: string; change: [string, string]; why: RegExp; sameProcess?: true; bound?: string }>([
    {
      title: "throws while it loads",
      change: ["const HANDS_OVER = 76;", 'throw new Error("boom while it loads");'],
      why: /fails when it is tried out: Error: boom while it loads\. Version \S+ keeps running/,
      sameProcess: true,
    },
    {
      title: "ends once it has the lock",
      change: [ADOPTS, "process.exit(9);"],
      why: /the new agent ended with 9 before it served\. Version \S+ serves again/,
    },
    {
      title: "fails when it has taken up the servers",
      change: [ADOPTS, `${ADOPTS} throw new TypeError("boom with servers");`],
      why: /the new agent ended with 1 before it served: .*boom with servers\. Version \S+ serves again/,
    },
    {
      title: "hangs",
      change: [ADOPTS, "for (;;);"],
      why: /the new agent does not serve within 2 s\. Version \S+ serves again/,
      bound: "2s",
    },
  ])(
    "$title leaves the old one, and the servers",
    async ({ change, why, sameProcess, bound = "60s" }, { home, agent, stage }) => {
      const launcher = otherVersion(join(home.root, "other"), "0.99.0", change);
      const puppets = await loudServers(agent, stage);
      const before = await agent.call("agent_info", {});
      const { code, document } = await upgrade(home, launcher, "--wait-timeout", bound);
      expect({ code, message: document.error?.message }).toEqual({
        code: 1,
        message: expect.stringMatching(why),
      });
      const after = await agent.call("agent_info", {});
      expect(after.version).toBe(before.version);
      if (sameProcess) expect(after.pid).toBe(before.pid);
      expect(existsSync(programPaths(home.state).next)).toBe(false);
      await expectNothingLost(home, agent, puppets);
      expect(machinery(home)).toHaveLength(2);
      // And the way is free for the next one.
      const good = plainVersion("0.99.1");
      expect(await upgrade(home, good)).toMatchObject({ code: 0, document: { to: "0.99.1" } });
    },
  );

  test("serves, and then crashes again and again gives way to the one before", async ({
    home,
    agent,
    stage,
  }) => {
    const launcher = otherVersion(join(home.root, "other"), "0.99.0", [
      "const code = await finished;",
      "setTimeout(() => process.exit(9), 300); const code = await finished;",
    ]);
    const puppets = await loudServers(agent, stage);
    const { version } = await agent.call("agent_info", {});
    expect(await upgrade(home, launcher)).toMatchObject({ code: 0 });
    await eventually(
      async () => expect(await agent.call("agent_info", {})).toMatchObject({ version }),
      60_000,
    );
    expect(await agent.observe()).toMatchObject(puppets.map(({ pid }) => ({ pid, restartCount: 0 })));
    for (const puppet of puppets) await puppet.do({ deed: "hush" });
  });
});
