import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { livingLoop, wakeLoop, writeLoopRecord, writeLoopText } from "../../src/system/loop.ts";
import {
  agentLoopPath,
  agentRecordPath,
  ensurePrivateDir,
  loopRecordPath,
  programPaths,
  programsDir,
} from "../../src/system/paths.ts";
import { identify } from "../../src/system/processes.ts";
import { copyOfAgent, readProgram, writeProgram } from "../../src/system/program.ts";
import { DAMAGES } from "../rig/damage.ts";
import { eventually } from "../rig/eventually.ts";
import type { Home } from "../rig/home.ts";
import { isAlive } from "../rig/processes.ts";
import { test } from "../rig/test.ts";

/** A loop whose agent is a script: `deed` is what it does each time, in shell. */
class Loop {
  readonly child: ChildProcess;
  readonly #home: Home;
  readonly ended: Promise<number | string>;
  said = "";

  /** `sleep`: what the loop finds in place of the program of that name, in shell. */
  constructor(home: Home, deed: string, sleep?: string) {
    this.#home = home;
    ensurePrivateDir(home.state);
    writeLoopText(home.state);
    const node = home.folder.write(
      join(home.root, "node"),
      `#!/bin/sh\necho "$3" >>${this.#runs}\n${deed}\n`,
    );
    fs.chmodSync(node, 0o700);
    writeProgram(programPaths(home.state).current, { node, entry: node });
    const bin = join(home.root, "bin");
    if (sleep !== undefined)
      fs.chmodSync(home.folder.write(join(bin, "sleep"), `#!/bin/sh\n${sleep}\n`), 0o700);
    this.child = spawn("/bin/sh", [agentLoopPath(home.state), home.state], {
      env: { ...home.env, PATH: `${bin}:${process.env.PATH}` },
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text) => (this.said += text));
    writeLoopRecord(home.state, this.child.pid as number);
    this.ended = once(this.child, "exit").then(([code, signal]) => code ?? signal);
  }

  get #runs(): string {
    return join(this.#home.root, "runs");
  }
  /** The entries that it has run. */
  get runs(): string[] {
    return fs.existsSync(this.#runs) ? fs.readFileSync(this.#runs, "utf8").trim().split("\n") : [];
  }
  says(what: string): Promise<void> {
    return eventually(() => expect(this.said).toContain(what));
  }
}

describe("the loop of an agent", () => {
  test("never gives up: it waits longer and longer, a minute at last", async ({ home }) => {
    // Each pause is over at once, but the first whole minute.
    const loop = new Loop(home, "exit 1", '[ "$1" != 60 ] || exec /bin/sleep 60');
    await loop.says("started again in 60 s");
    expect([...loop.said.matchAll(/again in ([\d.]+) s/g)].map(([, secs]) => Number(secs))).toEqual([
      ...[0.05, 0.05, 0.05, 1, 2, 4, 8, 16, 32, 60],
    ]);
    expect(isAlive(loop.child.pid as number)).toBe(true);
    loop.child.kill("SIGTERM");
    expect(await loop.ended).toBe(0);
  });

  test("goes on at once when somebody wants the agent, and rests shortly then: the cause may be gone", async ({
    home,
  }) => {
    const loop = new Loop(home, "exit 1", '[ "$1" != 8 ] || exec /bin/sleep 60');
    await loop.says("started again in 8 s");
    loop.said = "";
    wakeLoop(home.state);
    await loop.says("started again in 8 s");
    expect([...loop.said.matchAll(/again in (\d+) s/g)].map(([, secs]) => Number(secs))).toEqual([
      1, 2, 4, 8,
    ]);
    loop.child.kill("SIGTERM");
    expect(await loop.ended).toBe(0);
  });

  test("goes on with what it ran when the file that names it is damaged", async ({ home }) => {
    const loop = new Loop(home, "exit 1");
    await loop.says("started again");
    for (const [how, damage] of DAMAGES) {
      damage(programPaths(home.state).current);
      const before = loop.runs.length;
      await eventually(() => {
        wakeLoop(home.state);
        expect(loop.runs.length, how).toBeGreaterThan(before);
      });
    }
    loop.child.kill("SIGTERM");
    expect(await loop.ended).toBe(0);
  });

  test("ends when its agent has ended and its state folder is gone", async ({ home }) => {
    const loop = new Loop(home, `[ ! -e '${home.root}/gone' ] || rm -r '${home.state}'\nexit 1`);
    await loop.says("started again");
    expect(isAlive(loop.child.pid as number)).toBe(true);
    home.folder.write(join(home.root, "gone"), "");
    wakeLoop(home.state);
    expect(await loop.ended).toBe(1);
    expect(loop.said).toContain(`its state folder is gone: ${home.state}\n`);
  });

  test("is not mistaken for a stranger's process", ({ home }) => {
    ensurePrivateDir(home.state);
    const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
    const loop = identify(stranger.pid as number);
    for (const record of [{ loop }, { loop: { pid: -1 } }, { loop: "x" }, [], null]) {
      fs.writeFileSync(agentRecordPath(home.state), JSON.stringify(record));
      fs.writeFileSync(loopRecordPath(home.state), JSON.stringify(loop));
      expect(livingLoop(home.state)).toBeUndefined();
      wakeLoop(home.state);
    }
    expect(isAlive(stranger.pid as number)).toBe(true);
    stranger.kill();
  });

  test("of an earlier version is replaced under a living agent, and no server notices", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const { pid } = await stage.next("a");
    await agent.shutdown(true);
    const path = agentLoopPath(agent.state);
    const older = fs.readFileSync(path, "utf8").replace(/^(export )?XY_LOOP.*\n/gm, "");
    fs.writeFileSync(path, older);
    const loop = spawn("/bin/sh", [path, agent.state], { detached: true, stdio: "ignore" });
    const ended = once(loop, "exit");
    await eventually(() => expect(agent.record.loop?.pid).toBe(loop.pid));
    await eventually(() => expect(agent.record.loop?.pid).not.toBe(loop.pid));
    expect(await ended).toEqual([0, null]);
    expect(fs.readFileSync(path, "utf8")).not.toBe(older);
    await agent.isBack();
    expect(await agent.observe()).toMatchObject([{ pid, state: "running", restartCount: 0 }]);
  });
});

describe("a damaged copy of the agent", () => {
  test("is passed over by the loop, and made anew by the agent that the loop runs in its place", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const { pid } = await stage.next("a");
    const { entry } = copyOfAgent(agent.state);
    const whole = fs.readFileSync(entry);
    fs.writeFileSync(entry, Buffer.alloc(whole.length));
    const before = agent.record.pid;
    process.kill(before, "SIGKILL");
    // Nobody asks for it.
    await eventually(() => expect(agent.record.pid).not.toBe(before));
    await eventually(() => expect(fs.readFileSync(entry).equals(whole)).toBe(true));
    await agent.isBack();
    expect(await agent.observe()).toMatchObject([{ pid, state: "running", restartCount: 0 }]);
  });

  test("stops no command, while a loop tries it again and again and when none does", async ({
    home,
    agent,
  }) => {
    await agent.call("agent_info", {});
    const { current } = programPaths(home.state);
    const program = readProgram(current);
    for (const end of [() => agent.kill(), () => agent.shutdown(true).then(() => {})]) {
      fs.rmSync(programsDir(home.state), { recursive: true });
      fs.writeFileSync(programsDir(home.state), "");
      fs.writeFileSync(current, "/nowhere/node\n/nowhere/agent.js\n");
      await end();
      await agent.call("agent_info", {});
      expect(readProgram(current)).toEqual(program);
    }
  });
});
