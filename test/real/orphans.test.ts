import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { projectDir, serverDir } from "../../src/system/paths.ts";
import { statOf } from "../../src/system/process-rows.ts";
import { bootId, identify } from "../../src/system/processes.ts";
import { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { makeHome } from "../rig/home.ts";
import { isAlive, programsWith } from "../rig/processes.ts";
import type { Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT, shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

/** What goes on running when its keeper, its records or all of the state folder are gone. */

const SOON = 20_000;
const keeperOf = (pid: number) => Number(statOf(readFileSync(`/proc/${pid}/stat`, "latin1")).fields[3]);
const kill = (...pids: number[]) => {
  for (const pid of pids) process.kill(pid, "SIGKILL");
};

const runs = (agent: Agent, name: string) =>
  eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed.state).toBe("running");
    return observed.pid as number;
  }, SOON);

async function leave(agent: Agent, stage: Stage, names: readonly string[]): Promise<Puppet[]> {
  await agent.addAll(names.map((name) => stage.spec(name)));
  const puppets = await Promise.all(names.map((name) => stage.next(name)));
  for (const name of names) await runs(agent, name);
  await agent.shutdown(true);
  return puppets;
}

describe.skipIf(process.platform !== "linux")("what goes on running", () => {
  test("without its keeper and its program is ended before a successor starts", async ({ agent, home }) => {
    // One child that prints where its server does, and one that does not; each is known by its words.
    const spec = (name: string) =>
      shellSpec(
        name,
        `perl -e 'sleep 600' ${home.root}/${name}-loud & perl -e 'sleep 600' ${home.root}/${name}-mute >/dev/null 2>&1 & wait`,
      );
    const children = (name: string) =>
      programsWith(`${home.root}/${name}-`)
        .filter(({ command }) => command.startsWith("perl"))
        .map(({ pid }) => pid);
    const both = (name: string) =>
      eventually(() => {
        const found = children(name);
        expect(found).toHaveLength(2);
        return found;
      }, SOON);
    const gone = (pids: number[]) =>
      eventually(() => expect(pids.filter((pid) => isAlive(pid))).toEqual([]), SOON);
    await agent.addAll(["seen", "unseen"].map(spec));
    const [seen, unseen] = [await runs(agent, "seen"), await runs(agent, "unseen")];
    const before = [await both("seen"), await both("unseen")] as const;

    // Under a living agent.
    kill(keeperOf(seen));
    await eventually(async () =>
      expect((await agent.call("children", { name: "seen" })).processes).toHaveLength(3),
    );
    kill(seen);
    await gone(before[0]);
    expect(await both("seen")).not.toEqual(before[0]);

    await agent.shutdown(true);
    kill(keeperOf(unseen));
    kill(unseen);
    await agent.client();
    await gone(before[1]);
    await both("unseen");
    expect(await agent.observed("unseen")).toMatchObject({
      restartCount: 1,
      lastExit: { exit: { kind: "unknown", because: "its keeper had been killed" } },
    });
  });

  test.for([
    ["its folder", (state: string) => rmSync(serverDir(state, PROJECT, "a"), { recursive: true })],
    ["its project's folder", (state: string) => rmSync(projectDir(state, PROJECT), { recursive: true })],
    ["the state folder", (state: string) => rmSync(state, { recursive: true })],
  ] as const)("without %s is found, told of, and not doubled", async ([, lose], { agent, stage, home }) => {
    const other = makeHome();
    onTestFinished(() => other.dispose());
    const stranger = new Agent(other.state);
    const [foreign] = await leave(stranger, stage, ["a"]);
    const [a] = await leave(agent, stage, ["a"]);
    lose(home.state);

    expect(await agent.observe()).toMatchObject([{ name: "a", state: "running", pid: a?.pid }]);
    await a?.do({ deed: "write", stream: "out", text: "still heard\n" });
    await agent.hears("a", 0);
    expect(await agent.apply(stage.spec("a"), "restart", 0)).toMatchObject({ ok: true });
    const successor = await stage.next("a");
    expect(isAlive(a?.pid as number)).toBe(false);
    expect(await runs(agent, "a")).toBe(successor.pid);
    expect(isAlive(foreign?.pid as number)).toBe(true);
    expect(await stranger.observed("a")).toMatchObject({ state: "running", pid: foreign?.pid });
    stranger.close();
  });

  test("beside a record of earlier is taken up, and not doubled", async ({ agent, stage, home }) => {
    const names = ["held", "rests", "strange", "waits"];
    await leave(agent, stage, names);
    const record = (name: string) => join(serverDir(home.state, PROJECT, name), "state.json");
    await agent.client();
    for (const name of names) await agent.call("stop", { name });
    await agent.shutdown(true);
    const earlier = new Map(names.map((name) => [name, readFileSync(record(name), "utf8")]));
    await agent.client();
    for (const name of names) await agent.call("start", { name });
    const puppets = await Promise.all(names.map((name) => stage.next(name)));
    await agent.shutdown(true);
    // Half of a backup: one as it was, one of another boot of the machine, one that is about to start it again.
    const boot = (text: string) => text.replace(/"boot":"[^"]*"/, '"boot":"another"');
    const waiting = (text: string) =>
      text
        .replace('"tag":"stopped"', '"tag":"waiting","until":0')
        .replace('"operator":"stop"', '"operator":null');
    const strange = () => {
      const of = (pid: number) => ({ pid, start: identify(pid)?.start, boot: bootId() });
      const running = JSON.parse(readFileSync(record("strange"), "utf8"));
      running.state.phase.process = of(process.pid);
      return JSON.stringify(running);
    };
    const change = { strange, held: (text: string) => text, rests: boot, waits: waiting };
    for (const [name, text] of earlier)
      writeFileSync(record(name), change[name as keyof typeof change](text));

    expect(await agent.observe()).toMatchObject(
      puppets.map(({ pid, hello: { name } }) => ({ name, state: "running", pid })),
    );
    for (const name of names) await agent.call("stop", { name });
    await Promise.all(puppets.map(({ gone }) => gone));
    expect(stage.doubles).toEqual([]);
    expect(stage.entries).toHaveLength(2 * names.length);
  });

  test("of another state folder, of which this one is a copy, is left alone", async ({ agent, stage }) => {
    const copy = makeHome();
    onTestFinished(() => copy.dispose());
    const [a, b] = await leave(agent, stage, ["a", "b"]);
    cpSync(agent.state, copy.state, {
      recursive: true,
      filter: (path) => !/\/(out|err|alive|release|xy\.sock)$/.test(path),
    });
    const second = new Agent(copy.state);
    await second.client();
    for (const name of ["a", "b"]) expect(await second.observed(name)).not.toMatchObject({ pid: a?.pid });
    await second.call("stop", { all: true });
    expect([a, b].map((puppet) => isAlive(puppet?.pid as number))).toEqual([true, true]);
    expect(await agent.observe()).toMatchObject([{ pid: a?.pid }, { pid: b?.pid }]);
    second.close();
  });
});
