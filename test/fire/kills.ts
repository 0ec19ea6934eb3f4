import { setTimeout as pass } from "node:timers/promises";
import type { Exit } from "../../src/model/observed.ts";
import { LAUNCHER } from "../cli/cli.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/**
 * Faults of processes: each does something bad, and says what has to be true when it is over. Whether that is so, the
 * driver looks.
 */
export type Fault = (world: World, random: Random) => Promise<void>;

const CODES = [0, 1, 3, 7, 137, 255];
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGSEGV"] as const;

/** Whether the policy starts a server again after this end. */
function comesBack(world: World, name: string, exit: Exit): boolean {
  const policy = world.policyOf(name);
  return policy === "always" || (policy === "on-failure" && !(exit.kind === "code" && exit.code === 0));
}

/** What the end of a server's process leads to. `inexact`: nobody is left who could know how it ended. */
async function ended(world: World, name: string, exit: Exit, inexact = false): Promise<void> {
  const known = world.known(name);
  await world.goes(name);
  known.puppet = undefined;
  known.ended = { exit, ...(inexact ? { inexact } : {}) };
  // An end that nobody saw counts as a failure.
  if (!comesBack(world, name, inexact ? { kind: "unknown" } : exit)) {
    if (!inexact) return;
    // Its policy leaves it alone, and nobody knows whether it did its work: that is for a person to say.
    await world.startsAgain(name);
  }
  await world.successorOf(name);
}

/** The code that a shell reports for an end by signal 9 is not told from that end. */
const exitOf = (code: number): Exit =>
  code === 137 ? { kind: "signal", signal: "SIGKILL" } : { kind: "code", code };

/** A server ends by itself, or is ended by somebody else. Settles when it is gone, with how. */
async function end(world: World, random: Random, name: string): Promise<Exit> {
  const puppet = world.living(name);
  if (random.integer(2) === 0) {
    const code = random.pick(CODES);
    await puppet.exit(code);
    return exitOf(code);
  }
  const signal = random.pick(SIGNALS);
  process.kill(puppet.pid, signal);
  await puppet.gone;
  return { kind: "signal", signal };
}

/** Brings what is never restarted back, so that there is always something to end. */
export async function revive(world: World): Promise<void> {
  for (const name of world.names) {
    const known = world.known(name);
    if (known.puppet || name === "held") continue;
    await world.startsAgain(name);
    await world.successorOf(name);
  }
}

const some = (random: Random, names: readonly string[], most: number) =>
  random.shuffled(names).slice(0, 1 + random.integer(most));

export const KILLS: Readonly<Record<string, Fault>> = {
  "agent killed": async (world) => {
    await world.killAgent();
  },

  "agent killed, again and again": async (world, random) => {
    for (let kill = 0; kill < 6; kill++) {
      await world.killAgent();
      await world.agent.isBack();
      await pass(random.integer(60));
    }
  },

  "agent and its loop killed": async (world) => {
    await world.killAgentAndLoop();
  },

  "agent killed around the ends of servers": async (world, random) => {
    await revive(world);
    const names = some(random, world.mortal, 4);
    const order = random.integer(3);
    if (order === 0) await world.killAgent();
    const ends = names.map((name) => end(world, random, name));
    if (order === 1) await world.killAgent();
    const exits = await Promise.all(ends);
    if (order === 2) await world.killAgent();
    await Promise.all(names.map((name, i) => ended(world, name, exits[i] as Exit)));
  },

  "agent and loop gone while servers end": async (world, random) => {
    await revive(world);
    await world.killAgentAndLoop();
    const names = some(random, world.mortal, 4);
    const exits = await Promise.all(names.map((name) => end(world, random, name)));
    await world.agent.client();
    await Promise.all(names.map((name, i) => ended(world, name, exits[i] as Exit)));
  },

  "servers end": async (world, random) => {
    await revive(world);
    const names = some(random, world.mortal, 5);
    await Promise.all(names.map(async (name) => ended(world, name, await end(world, random, name))));
  },

  "keeper killed, and its server ends": async (world, random) => {
    await revive(world);
    const name = random.pick(world.mortal);
    process.kill(world.keeperOf(name), "SIGKILL");
    await pass(random.integer(30));
    const known = world.known(name);
    const pid = known.puppet?.pid as number;
    // Its end by the keeper's death would be one that nobody saw as well.
    const exit = await end(world, random, name).catch(() => undefined);
    await ended(world, name, exit ?? { kind: "unknown" }, true);
    if (world.known(name).puppet?.pid === pid) throw new Error(`${name} did not end`);
  },

  "keeper and agent killed, and the server ends": async (world, random) => {
    await revive(world);
    const name = random.pick(world.mortal);
    const keeper = world.keeperOf(name);
    if (random.integer(2) === 0) process.kill(keeper, "SIGKILL");
    await world.killAgent();
    try {
      process.kill(keeper, "SIGKILL");
    } catch {
      // It was killed before.
    }
    const exit = await end(world, random, name);
    await world.agent.client();
    await ended(world, name, exit, true);
  },

  "agent stopped for a moment while servers end": async (world, random) => {
    await revive(world);
    await world.agent.client();
    const { pid } = world.agent.record;
    process.kill(pid, "SIGSTOP");
    const names = some(random, world.mortal, 3);
    const exits = await Promise.all(names.map((name) => end(world, random, name)));
    await pass(random.integer(300));
    process.kill(pid, "SIGCONT");
    await Promise.all(names.map((name, i) => ended(world, name, exits[i] as Exit)));
  },

  "loop stopped while the agent is killed": async (world, random) => {
    await world.agent.client();
    const { loop } = world.agent.record;
    if (!loop) throw new Error("the agent has no loop");
    process.kill(loop.pid, "SIGSTOP");
    await world.killAgent();
    await pass(random.integer(300));
    process.kill(loop.pid, "SIGCONT");
  },

  "keeper stopped while its server ends": async (world, random) => {
    await revive(world);
    const name = random.pick(world.mortal);
    const keeper = world.keeperOf(name);
    process.kill(keeper, "SIGSTOP");
    const exit = await end(world, random, name);
    if (random.integer(2) === 0) await world.killAgent();
    await pass(random.integer(200));
    process.kill(keeper, "SIGCONT");
    await ended(world, name, exit);
  },

  "apply killed": async (world, random) => {
    await revive(world);
    const names = some(random, world.mortal, 3);
    for (const name of names) world.redeclare(name);
    const applying = world.home.start({}, process.execPath, LAUNCHER, "apply", "--yes");
    await pass(random.integer(1200));
    applying.child.kill("SIGKILL");
    await applying.ended;
    if (random.integer(2) === 0) await world.killAgent();
    const { code, stdout, stderr } = await world.said("apply", "--yes");
    if (code !== 0)
      throw new Error(`an apply after one that was killed ended with ${code}: ${stdout}${stderr}`);
    for (const name of names) {
      const known = world.known(name);
      await world.goes(name);
      known.ended = { exit: { kind: "signal", signal: "SIGTERM" } };
      await world.successorOf(name);
    }
  },

  "agent killed in the middle of an apply": async (world, random) => {
    await revive(world);
    const names = some(random, world.mortal, 3);
    for (const name of names) world.redeclare(name);
    const applying = world.said("apply", "--yes");
    await pass(random.integer(400));
    await world.killAgent();
    await applying;
    const { code, stdout, stderr } = await world.said("apply", "--yes");
    if (code !== 0)
      throw new Error(`an apply after its agent's death ended with ${code}: ${stdout}${stderr}`);
    for (const name of names) {
      const known = world.known(name);
      await world.goes(name);
      known.ended = { exit: { kind: "signal", signal: "SIGTERM" } };
      await world.successorOf(name);
    }
  },

  "agent upgraded": async (world, random) => {
    const upgrading = world.said("agent", "upgrade", "--force");
    if (random.integer(2) === 0) {
      await pass(random.integer(600));
      // Whichever serves at that moment.
      await world.killAgent().catch(() => undefined);
    }
    const { code, stderr } = await upgrading;
    if (![0, 1, 2].includes(code as number))
      throw new Error(`xy agent upgrade ended with ${code}: ${stderr}`);
  },

  "agent ended as planned while servers end": async (world, random) => {
    await revive(world);
    const names = some(random, world.mortal, 3);
    const exits = names.map((name) => end(world, random, name));
    await world.agent.shutdown(true);
    const all = await Promise.all(exits);
    await world.agent.client();
    await Promise.all(names.map((name, i) => ended(world, name, all[i] as Exit)));
  },

  "log rotated while the agent is killed": async (world, random) => {
    await revive(world);
    const puppet = world.living("rotating");
    const printing = puppet.do({ deed: "print", stream: "out", from: 0, to: 20_000 });
    await pass(random.integer(60));
    await world.killAgent();
    await world.agent.client();
    await printing;
  },

  "commands at once where no agent runs": async (world) => {
    await world.killAgentAndLoop();
    const commands = ["list", "plan", "list"].map((command) => world.said(command));
    for (const { code, stderr } of await Promise.all(commands)) {
      if (code !== 0) throw new Error(`one of several commands ended with ${code}: ${stderr}`);
    }
  },
};
