import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { serverDir } from "../../src/system/paths.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { printedIn } from "../rig/log-file.ts";
import { planned } from "../rig/plan.ts";
import type { Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

/** What can be in the way when a server is taken over from an earlier agent, and how that is put right. */

const SOON = 20_000;
const dirOf = (state: string, name: string) => serverDir(state, PROJECT, name);

/** Each breaks something of a server that runs, and gives what mends it. */
const FAULTS: Readonly<Record<string, (dir: string) => () => void>> = {
  "log-is-a-file": (dir) => replaced(join(dir, "log"), (path) => writeFileSync(path, "")),
  "log-leads-nowhere": (dir) => replaced(join(dir, "log/current.log"), (path) => mkdirSync(path)),
  "log-is-a-loop": (dir) => replaced(join(dir, "log"), (path) => execFileSync("ln", ["-s", path, path])),
};

/** Each breaks something that can be done without. */
const HARMLESS: Readonly<Record<string, (dir: string) => void>> = {
  "no-out": (dir) => rmSync(join(dir, "run/1/out")),
  "out-is-a-folder": (dir) => void replaced(join(dir, "run/1/out"), (path) => mkdirSync(path)),
  "no-alive": (dir) => rmSync(join(dir, "run/1/alive")),
  "no-log": (dir) => rmSync(join(dir, "log"), { recursive: true }),
  "no-run": (dir) => rmSync(join(dir, "run"), { recursive: true }),
  "run-is-a-file": (dir) => void replaced(join(dir, "run/1"), (path) => writeFileSync(path, "")),
};

function replaced(path: string, replace: (path: string) => void): () => void {
  renameSync(path, `${path}.kept`);
  replace(path);
  return () => {
    rmSync(path, { recursive: true });
    renameSync(`${path}.kept`, path);
  };
}

async function leave(agent: Agent, stage: Stage, names: readonly string[]): Promise<Puppet[]> {
  await agent.addAll(names.map((name) => stage.spec(name)));
  const puppets = await Promise.all(names.map((name) => stage.next(name)));
  await eventually(async () =>
    expect(await agent.observe()).toMatchObject(names.map(() => ({ state: "running" }))),
  );
  await agent.shutdown(true);
  return puppets;
}

const isWatched = (agent: Agent, { hello: { name, pid } }: Puppet) =>
  eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed).toMatchObject({ state: "running", pid, restartCount: 0 });
    expect(observed.unwatched).toBeUndefined();
  }, SOON);

async function printsTo(state: string, puppet: Puppet): Promise<void> {
  const { name } = puppet.hello;
  await puppet.do({ deed: "write", stream: "out", text: `hello of ${name}\n` });
  await eventually(
    () => expect(printedIn(state, name, "out").toString()).toContain(`hello of ${name}\n`),
    SOON,
  );
}

describe.skipIf(process.platform !== "linux")("a server that a new agent takes over", () => {
  test("is told of when it cannot be watched, can be stopped, and is watched once that is mended", async ({
    agent,
    stage,
    home,
  }) => {
    const names = Object.keys(FAULTS).sort();
    const puppets = await leave(agent, stage, [...names, "stopped", "ends"]);
    const stopped = puppets.at(-2) as Puppet;
    const ends = puppets.at(-1) as Puppet;
    const mend = names.map((name) => FAULTS[name]?.(dirOf(home.state, name)));
    for (const name of ["stopped", "ends"]) FAULTS["log-is-a-file"]?.(dirOf(home.state, name));

    const listed = await agent.call("list", {});
    expect(listed).toMatchObject(
      ["ends", ...names, "stopped"].map((name) => ({
        name,
        state: "running",
        unwatched: { reason: expect.stringContaining("its log cannot be written: ") },
      })),
    );
    const specs = ["ends", ...names, "stopped"].map((name) => stage.spec(name));
    expect(planned(specs, await agent.observe())).toEqual([]);
    expect(await agent.call("why", { name: names[0] as string })).toMatchObject({
      why: expect.stringContaining("The agent cannot watch it: "),
    });
    expect(await agent.call("stop", { name: "stopped" })).toMatchObject({ stopped: ["stopped"] });
    await stopped.gone;
    await ends.exit(0);
    await eventually(
      async () =>
        expect(await agent.observed("ends")).toMatchObject({
          state: "stopped",
          lastExit: { exit: { kind: "code", code: 0 } },
        }),
      SOON,
    );
    for (const one of mend) one?.();
    for (const puppet of puppets.slice(0, -2)) {
      await isWatched(agent, puppet);
      await printsTo(home.state, puppet);
    }
    expect(stage.entries).toHaveLength(names.length + 2);
  });

  test("is watched whatever was deleted of its run, loses no line, and ends with its exit code", async ({
    agent,
    stage,
    home,
  }) => {
    const names = Object.keys(HARMLESS).sort();
    const puppets = await leave(agent, stage, names);
    for (const name of names) HARMLESS[name]?.(dirOf(home.state, name));
    await agent.client();
    await Promise.all(
      puppets.map(async (puppet) => {
        const { name } = puppet.hello;
        await isWatched(agent, puppet);
        await printsTo(home.state, puppet);
        await puppet.exit(0);
        await eventually(
          async () =>
            expect([name, await agent.observed(name)]).toMatchObject([
              name,
              { state: "stopped", lastExit: { exit: { kind: "code", code: 0 } } },
            ]),
          SOON,
        );
      }),
    );
    expect(names.map((name) => existsSync(join(dirOf(home.state, name), "run/1")))).toEqual(
      names.map(() => false),
    );
    expect(stage.doubles).toEqual([]);
  });

  test("is told of when its agent has no descriptor for it, and not restarted", async ({ agent, stage }) => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const puppets = await leave(agent, stage, names);
    await agent.client();
    const { pid, loop } = agent.record;
    for (const puppet of puppets) await isWatched(agent, puppet);
    // Its own need is some 25, and 16 are kept free.
    execFileSync("prlimit", [`--pid=${loop?.pid}`, "--nofile=50"]);
    process.kill(pid, "SIGKILL");
    await agent.isBack();
    const left = (await agent.observe()).filter(({ unwatched }) => unwatched).map(({ name }) => name);
    expect(left.length).toBeGreaterThan(0);
    expect(await agent.observe()).toMatchObject(
      puppets.map((puppet) => ({ state: "running", pid: puppet.pid, restartCount: 0 })),
    );
    const watched = names.filter((name) => !left.includes(name));
    const gone = watched.slice(0, left.length + 1);
    expect(await agent.call("stop", { names: gone })).toMatchObject({ failed: [] });
    for (const puppet of puppets) if (!gone.includes(puppet.hello.name)) await isWatched(agent, puppet);
    expect(stage.entries).toHaveLength(names.length);
  });
});
