import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import { agentLogPath, serverDir } from "../../src/system/paths.ts";
import { statOf } from "../../src/system/process-rows.ts";
import { bootId, signalExactly } from "../../src/system/processes.ts";
import { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { makeHome } from "../rig/home.ts";
import { freePort, greetingOf } from "../rig/port.ts";
import { groupOf, isAlive, programsWith } from "../rig/processes.ts";
import { PROJECT, readyOnPort, serverSpec, shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

/** Children that do not stay in their server's process group, with the programs that make them. */

const NODE = process.execPath;
const LISTENER = join(import.meta.dirname, "../rig/listener-program.mjs");
const IN_A_GROUP = `perl -e 'setpgrp(0, 0); exec @ARGV'`;

/** Each runs the listener, which ignores SIGTERM, for as long as that lives. */
type Wrap = (port: number, file: string) => [program: string, args: string[]];
const WRAPPERS: Readonly<Record<string, Wrap>> = {
  "own-group": (port) => sh(`${IN_A_GROUP} ${NODE} ${LISTENER} ${port}; echo over`),
  entr: (port, file) => sh(`ls ${file} | entr -n -r ${NODE} ${LISTENER} ${port}; echo over`),
  "own-session": (port) => sh(`setsid ${NODE} ${LISTENER} ${port}; echo over`),
  detached: (port) => [
    NODE,
    [
      "-e",
      'require("child_process").spawn(process.execPath, process.argv.slice(1), {detached: true, stdio: "ignore"})',
      LISTENER,
      `${port}`,
    ],
  ],
  "session-below-session": (port) =>
    sh(`setsid sh -c 'setsid ${NODE} ${LISTENER} ${port}; echo over'; echo over`),
};

const sh = (script: string): [string, string[]] => ["/bin/sh", ["-c", script]];

/** Who has the port, once it is another than before. */
const holder = (port: number, before?: number) =>
  eventually(async () => {
    const pid = Number((await greetingOf(port)).replace("pid ", ""));
    if (pid === before) throw new Error(`pid ${before} still holds the port`);
    return pid;
  });

const isReady = (agent: Agent, name: string, restartCount: number) =>
  eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed).toMatchObject({ state: "running", restartCount, ready: { status: "ok" } });
    return observed.pid as number;
  });

/** The keeper of a server leads its session. */
const keeperOf = (pid: number) => Number(statOf(readFileSync(`/proc/${pid}/stat`, "latin1")).fields[3]);

const kill = (...pids: number[]) => {
  for (const pid of pids) process.kill(pid, "SIGKILL");
};

/** A server for each of the wrappers, all at once: what takes time is to wait for each. */
class Wrapped {
  readonly name: string;
  readonly port: number;
  child = 0;
  main = 0;
  readonly #agent: Agent;

  constructor(agent: Agent, name: string, port: number) {
    this.#agent = agent;
    this.name = name;
    this.port = port;
  }

  async begin(program: string, args: string[]): Promise<void> {
    const { port } = this;
    const readiness = readyOnPort(port);
    const more = { port, readiness, liveness: readiness, stop: { grace: 200 } };
    const outcome = await this.#agent.apply(serverSpec(this.name, program, args, more));
    expect(outcome, `${this.name}: ${JSON.stringify(outcome)}`).toMatchObject({ ok: true });
    await this.isReady(0);
    expect(this.child).not.toBe(this.main);
  }

  /** Ready, by another child than before. */
  async isReady(restartCount: number): Promise<void> {
    const before = this.child;
    this.child = await holder(this.port, before);
    if (before !== 0) expect([this.name, isAlive(before)]).toEqual([this.name, false]);
    this.main = await isReady(this.#agent, this.name, restartCount);
  }

  get left(): number[] {
    return programsWith(`${LISTENER} ${this.port}`).map(({ pid }) => pid);
  }
}

describe.skipIf(process.platform !== "linux")("a child", () => {
  test(`is its server's wherever it is, whoever of them dies: ${Object.keys(WRAPPERS).join(", ")}`, async ({
    agent,
    home,
  }) => {
    const file = join(home.root, "watched");
    writeFileSync(file, "");
    const all: Wrapped[] = [];
    for (const name of Object.keys(WRAPPERS)) {
      const one = new Wrapped(agent, name, await freePort());
      all.push(one);
    }
    const each = (act: (one: Wrapped) => Promise<unknown>) => Promise.all(all.map(act));
    await each((one) => one.begin(...(WRAPPERS[one.name] as Wrap)(one.port, file)));
    await each(async ({ name, child }) => {
      const { processes } = await agent.call("children", { name });
      expect(processes.map(({ pid }) => pid)).toContain(child);
      expect(processes.filter(({ left }) => left)).toEqual([]);
    });

    kill(...all.map(({ main }) => main));
    await each((one) => one.isReady(1));
    kill(...all.flatMap(({ main }) => [keeperOf(main), main]));
    await each((one) => one.isReady(2));

    // The same with nobody there to see it.
    const victims = all.flatMap(({ main }) => [keeperOf(main), main]);
    process.kill(agent.record.loop?.pid as number, "SIGSTOP");
    await agent.kill();
    kill(...victims);
    process.kill(agent.record.loop?.pid as number, "SIGCONT");
    await agent.isBack();
    await each((one) => one.isReady(3));

    kill(...all.map(({ main }) => keeperOf(main)));
    const names = all.map(({ name }) => name);
    expect(await agent.call("stop", { names })).toMatchObject({ not_running: [], failed: [] });
    expect(all.flatMap(({ left }) => left)).toEqual([]);
  });

  test("that begins after its server is ready is remembered, and found by a liveness check", async ({
    agent,
    home,
  }) => {
    const port = await freePort();
    const go = join(home.root, "go");
    // The child has the listening socket too, and is in a session of its own.
    const program = `
      const { spawn } = require("child_process"), { createServer } = require("net"), { existsSync } = require("fs");
      const server = createServer((socket) => socket.on("error", () => {}).end("pid " + process.pid));
      server.listen(${port}, "127.0.0.1", () => {
        const timer = setInterval(() => {
          if (!existsSync(process.argv[1])) return;
          clearInterval(timer);
          spawn("sleep", ["7654"], { detached: true, stdio: ["ignore", "ignore", "ignore", server._handle.fd] });
        }, 10);
      });`;
    const readiness = { ...readyOnPort(port), interval: 20 };
    const spec = serverSpec("a", NODE, ["-e", program, go], {
      port,
      readiness,
      liveness: readiness,
      stop: { grace: 200 },
    });
    expect(await agent.apply(spec)).toMatchObject({ ok: true });
    const main = await isReady(agent, "a", 0);
    writeFileSync(go, "");
    const child = await eventually(() => {
      const seen = JSON.parse(readFileSync(join(serverDir(home.state, PROJECT, "a"), "run/1/seen"), "utf8"));
      const [first] = seen.processes as { pid: number }[];
      if (first === undefined) throw new Error("no descendant is recorded yet");
      return first.pid;
    });
    expect(groupOf(child)).toBe(child);
    kill(main);
    await isReady(agent, "a", 1);
    expect(isAlive(child)).toBe(false);
    // The successor has one too, which no home would be found to hold.
    await agent.call("stop", { name: "a" });
  });
});

/** Starts a child in a session of its own that starts one in another, and waits for a line before it ends. */
const LEAVING = `
  setsid sh -c 'setsid sleep "$1" & echo $! >"$2/daemon"; mkfifo "$2/go" && read -r x <"$2/go"' sh "$1" "$2"; exec sleep 999`;

describe.skipIf(process.platform !== "linux")("a daemon, that hangs off init and holds no port", () => {
  /** Starts a server that has left one behind, which was seen before. */
  async function left(agent: Agent, root: string, descendants: "own" | "all", seconds = "7655") {
    const spec = serverSpec("a", "/bin/sh", ["-c", LEAVING, "sh", seconds, root], {
      stop: { grace: 200, descendants },
    });
    await agent.apply(spec, "add", 0);
    // The shell makes the file before it writes into it.
    const daemon = await eventually(() => {
      const [line] = /^\d+(?=\n)/.exec(readFileSync(join(root, "daemon"), "utf8")) ?? [];
      if (line === undefined) throw new Error("no pid is written yet");
      return Number(line);
    });
    await eventually(async () => {
      const { processes } = await agent.call("children", { name: "a" });
      expect(processes).toContainEqual(expect.objectContaining({ pid: daemon, program: "sleep" }));
    });
    await eventually(() => writeFileSync(join(root, "go"), "go\n", { flag: "r+" }));
    await eventually(async () => {
      const { processes } = await agent.call("children", { name: "a" });
      expect(processes).toContainEqual(expect.objectContaining({ pid: daemon, left: true }));
    });
    return { daemon, spec };
  }

  test("is shown, and left alone and named by a stop and by what removes its server", async ({
    agent,
    home,
  }) => {
    const { daemon, spec } = await left(agent, home.root, "own");
    try {
      const named = [{ name: "a", project: PROJECT, pid: daemon, program: "sleep" }];
      expect(await agent.call("stop", { name: "a" })).toEqual({
        stopped: ["a"],
        not_running: [],
        failed: [],
        left: named,
      });
      expect(isAlive(daemon)).toBe(true);
      const removed = await agent.apply(spec, "remove");
      expect(removed).toMatchObject({
        ok: true,
        detail: expect.stringContaining(`left running: pid ${daemon} (sleep)`),
      });
      expect(isAlive(daemon)).toBe(true);
    } finally {
      kill(daemon);
    }
  });

  test("is ended too where all descendants are", async ({ agent, home }) => {
    const { daemon } = await left(agent, home.root, "all");
    expect(await agent.call("stop", { name: "a" })).toEqual({ stopped: ["a"], not_running: [], failed: [] });
    expect(isAlive(daemon)).toBe(false);
  });

  test("is known by the next run, and by the next agent", async ({ agent, home }) => {
    const { daemon } = await left(agent, home.root, "own", "7659");
    try {
      await agent.call("restart", { name: "a" });
      await agent.kill();
      await agent.isBack();
      await eventually(async () => {
        const { processes } = await agent.call("children", { name: "a" });
        expect(processes).toContainEqual(expect.objectContaining({ pid: daemon, left: true }));
      });
      expect(await agent.call("kill", { name: "a" })).toMatchObject({
        killed: ["a"],
        left: [{ pid: daemon }],
      });
      expect(isAlive(daemon)).toBe(true);
    } finally {
      kill(...programsWith("sleep 7659").map(({ pid }) => pid));
    }
  });
});

describe.skipIf(process.platform !== "linux")("what a server's descendants were", () => {
  for (const [what, text] of [
    ["torn", '{"version":1,"boot":'],
    ["of somebody else", '{"processes":[{"pid":1}]}'],
    ["far too long", "x".repeat(100_000)],
  ] as const)
    test(`is told and passed over where it is ${what}`, async ({ agent, home }) => {
      await agent.apply(shellSpec("a", "exec sleep 7656"), "add", 0);
      await eventually(async () => expect((await agent.observed("a")).state).toBe("running"));
      writeFileSync(join(serverDir(home.state, PROJECT, "a"), "run/1/seen"), text);
      await agent.kill();
      await agent.isBack();
      expect(await agent.observed("a")).toMatchObject({ state: "running", restartCount: 0 });
      expect(readFileSync(agentLogPath(home.state), "utf8")).toContain(
        "run/1/seen, which xy did not write like that",
      );
      expect(await agent.call("stop", { name: "a" })).toMatchObject({ stopped: ["a"], failed: [] });
    });

  test("names no process that has its number by now", async ({ agent, home }) => {
    const stranger = spawn("sleep", ["7657"], { detached: true, stdio: "ignore" });
    try {
      const port = await freePort();
      await agent.apply(shellSpec("a", "exec sleep 7656", { port }), "add", 0);
      await eventually(async () => expect((await agent.observed("a")).state).toBe("running"));
      const processes = [{ pid: stranger.pid, start: "1" }];
      const seen = { version: 1, boot: bootId(), processes };
      writeFileSync(join(serverDir(home.state, PROJECT, "a"), "run/1/seen"), JSON.stringify(seen));
      await agent.kill();
      await agent.isBack();
      expect(await agent.call("stop", { name: "a" })).toEqual({
        stopped: ["a"],
        not_running: [],
        failed: [],
      });
      expect(isAlive(stranger.pid as number)).toBe(true);
      expect(signalExactly({ pid: stranger.pid as number, start: "1" }, "SIGKILL")).toBe(false);
    } finally {
      stranger.kill("SIGKILL");
    }
  });
});

describe.skipIf(process.platform !== "linux")("a server that is an agent of another home", () => {
  test("is stopped alone: its servers are that agent's", async ({ agent, home }) => {
    const inner = makeHome();
    try {
      const other = new Agent(inner.state);
      const env = { PATH: `${process.env.PATH}`, XDG_STATE_HOME: dirname(inner.state), HOME: inner.root };
      const args = [join(import.meta.dirname, "../../bin/xy.js"), "agent", "run"];
      await agent.apply(
        serverSpec("a", NODE, args, { env, stop: { grace: 200, descendants: "all" } }),
        "add",
        0,
      );
      await other.isBack();
      await other.apply(shellSpec("b", "exec sleep 7658"), "add", 0);
      const { pid } = await eventually(async () => {
        const observed = await other.observed("b");
        expect(observed.state).toBe("running");
        return observed;
      });
      const { processes } = await agent.call("children", { name: "a" });
      expect(processes.map((one) => one.pid)).not.toContain(pid);
      await agent.call("kill", { name: "a" });
      expect(isAlive(pid as number)).toBe(true);
      other.close();
    } finally {
      await inner.dispose();
    }
    expect(home.state).not.toBe(inner.state);
  });
});
