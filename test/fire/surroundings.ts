import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { isAlive, killGroup } from "../rig/processes.ts";
import type { Fault } from "./kills.ts";
import { revive } from "./kills.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Faults of what is around: room on the disk, limits, the clock, the machine itself, and a tree that was copied or cut. */

/** Files of the state folder that are records, with what rewriting them gives. */
function rewriteRecords(state: string, change: (text: string) => string): void {
  for (const path of fs.readdirSync(state, { recursive: true, encoding: "utf8" })) {
    const file = join(state, path);
    if (path.startsWith("agent.programs") || !fs.lstatSync(file).isFile() || /\.log$/.test(path)) continue;
    const text = fs.readFileSync(file, "utf8");
    const changed = change(text);
    if (changed !== text) fs.writeFileSync(file, changed);
  }
}

const DAY_MS = 86_400_000;

async function servers(world: World, random: Random): Promise<string[]> {
  await revive(world);
  return random.shuffled(world.mortal).slice(0, 3);
}

/** Ends servers by a signal of which somebody may know nothing later. */
async function endSome(world: World, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { pid, gone } = world.living(name);
    process.kill(pid, "SIGKILL");
    await gone;
  }
}

/** Those that ended come back by their policy, or by an apply; how they ended may be known. */
async function comeBack(world: World, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const known = world.known(name);
    known.puppet = undefined;
    known.ended = { exit: { kind: "signal", signal: "SIGKILL" }, inexact: true };
    if (world.policyOf(name) === "never") await world.startsAgain(name);
    await world.successorOf(name);
  }
}

export const SURROUNDINGS: Readonly<Record<string, Fault>> = {
  "disk full while servers end": async (world, random) => {
    const names = await servers(world, random);
    world.disk.fill();
    try {
      await endSome(world, names);
      if (random.integer(2) === 0) await world.killAgent();
      for (const look of [["list"], ["why", names[0] as string], ["agent", "status"]])
        await world.said(...look);
    } finally {
      world.disk.clear();
    }
    world.mayLose = true;
    // An agent that could not start has a loop that may rest for a minute; any command ends that.
    await world.said("list");
    await comeBack(world, names);
  },

  "disk full while a server is stopped": async (world, random) => {
    const [name = "once"] = await servers(world, random);
    world.disk.fill();
    try {
      const { pid } = world.living(name);
      await world.said("stop", name);
      if (isAlive(pid)) throw new Error(`xy stop ${name} on a full disk left it running`);
    } finally {
      world.disk.clear();
    }
    world.mayLose = true;
    const known = world.known(name);
    known.puppet = undefined;
    known.ended = undefined;
    await world.settled();
    await world.said("start", name);
    await world.successorOf(name);
  },

  "state folder read-only while servers end": async (world, random) => {
    const names = await servers(world, random);
    world.disk.freeze();
    try {
      await endSome(world, names);
      for (const look of [["list"], ["plan"], ["agent", "status"]]) await world.said(...look);
    } finally {
      world.disk.thaw();
    }
    world.mayLose = true;
    await comeBack(world, names);
  },

  "too few open files while servers end": async (world, random) => {
    const names = await servers(world, random);
    await world.agent.client();
    const { pid } = world.agent.record;
    const open = fs.readdirSync(`/proc/${pid}/fd`).length;
    execFileSync("prlimit", ["--pid", String(pid), `--nofile=${open}:`]);
    try {
      await endSome(world, names);
      await pass(random.integer(200));
    } finally {
      execFileSync("prlimit", ["--pid", String(pid), "--nofile=4096:"]);
    }
    await comeBack(world, names);
  },

  "clock set by a day": async (world, random) => {
    await revive(world);
    const by = random.pick([-DAY_MS, DAY_MS]);
    await world.killAgentAndLoop();
    rewriteRecords(world.home.state, (text) =>
      text.replace(/(?<=[:[ ])1[5-9]\d{11}(?=[,\]}\s])/g, (ms) => String(Number(ms) + by)),
    );
    for (const name of world.names) world.known(name).ended = undefined;
  },

  "machine switched off": async (world) => {
    // All that nobody has stopped begins again, whatever its policy made of its last end.
    const ended = await world.ended();
    await world.killAgentAndLoop();
    const living = world.running;
    for (const name of living) {
      const { hello, gone } = world.living(name);
      // Keeper first, so that nobody writes down what a machine that is off could not have.
      killGroup(hello.ppid);
      await gone;
    }
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    rewriteRecords(world.home.state, (text) => text.replaceAll(boot, "00000000-1111-2222-3333-444444444444"));
    await world.agent.client();
    for (const name of [...living, ...ended]) {
      const known = world.known(name);
      known.puppet = undefined;
      known.ended = undefined;
      await world.successorOf(name);
    }
  },

  "records that name strangers": async (world) => {
    await revive(world);
    const stranger = spawn("sleep", ["600"], { stdio: "ignore" });
    const pids = [
      ...world.running.map((name) => world.living(name)),
      ...world.running.map((name) => ({ pid: world.keeperOf(name) })),
    ];
    await world.killAgentAndLoop();
    for (const { pid } of pids) {
      rewriteRecords(world.home.state, (text) =>
        text.replace(new RegExp(`(?<="pid": ?)${pid}(?=\\D)|^${pid}(?=\\n)`, "g"), String(stranger.pid)),
      );
    }
    // They may be taken for gone, but neither may they be doubled, nor the stranger be ended.
    await world.said("apply", "--yes");
    await world.forgive(world.running);
    const isHarmed = stranger.exitCode !== null || stranger.signalCode !== null;
    if (!isHarmed) {
      stranger.kill();
      await once(stranger, "exit");
    } else throw new Error("a stranger's process was ended, because a record named it");
  },

  "half of a backup": async (world, random) => {
    await revive(world);
    await world.killAgentAndLoop();
    const folder = join(world.home.state, "projects/p/servers");
    const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const file of random.shuffled(files).slice(0, files.length / 2))
      fs.rmSync(join(folder, file), { recursive: true, force: true });
    world.mayLose = true;
    await world.said("apply", "--yes");
    await world.forgive(world.names);
  },
};
