import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { Exit } from "../../src/model/observed.ts";
import { serverDir } from "../../src/system/paths.ts";
import { statOf } from "../../src/system/process-rows.ts";
import type { Agent } from "../rig/agent.ts";
import { mountDisk } from "../rig/disk.ts";
import { eventually } from "../rig/eventually.ts";
import { isAlive } from "../rig/processes.ts";
import type { Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

/** Ends that no agent sees, and that cannot be written down, or are not read as they were written. */

/** A keeper leads the session of its server. */
const keeperOf = ({ pid }: Puppet) => Number(statOf(readFileSync(`/proc/${pid}/stat`, "latin1")).fields[3]);

const runOf = (state: string, name: string) => join(serverDir(state, PROJECT, name), "run/1");

/** Settles when the server's keeper has written down its end, as far as it can. */
const isOver = (path: string) => eventually(() => expect(readFileSync(path, "latin1")).toMatch(/^\d+\n$/));

type Restart = "never" | "always";

/** Brings up these servers, and ends their agent. */
async function leave<Name extends string>(
  agent: Agent,
  stage: Stage,
  policies: Readonly<Record<Name, Restart>>,
): Promise<Record<Name, Puppet>> {
  const names = Object.keys(policies) as Name[];
  const specs = names.map((name) => stage.spec(name, { restart: { policy: policies[name] } }));
  await agent.addAll(specs);
  const puppets = await Promise.all(names.map((name) => stage.next(name)));
  await eventually(async () => {
    for (const name of names) expect(await agent.observed(name)).toMatchObject({ state: "running" });
  });
  await agent.shutdown(true);
  return Object.fromEntries(names.map((name, i) => [name, puppets[i]])) as Record<Name, Puppet>;
}

const SOON = 20_000;
const ended = (agent: Agent, name: string, exit: Exit) =>
  eventually(
    async () => expect(await agent.observed(name)).toMatchObject({ state: "stopped", lastExit: { exit } }),
    SOON,
  );
const back = async (agent: Agent, stage: Stage, before: Puppet, exit: Exit) => {
  const { name } = before.hello;
  const { pid } = await stage.next(name);
  await eventually(
    async () =>
      expect(await agent.observed(name)).toMatchObject({
        state: "running",
        pid,
        restartCount: 1,
        lastExit: { exit },
      }),
    SOON,
  );
};

describe.skipIf(process.platform !== "linux")("an end that no agent saw", () => {
  test("is exact with a full disk, and the restart policy goes on", async ({ home, agent, stage, skip }) => {
    mkdirSync(home.state, { mode: 0o700 });
    const disk = mountDisk(home.state, 2);
    if (!disk) return skip("needs to mount a small file system: root, or sudo without a password");
    home.undo.push(disk.unmount);
    const { always, never } = await leave(agent, stage, { always: "always", never: "never" });
    disk.fill();
    await Promise.all([always.exit(5), never.exit(6)]);
    await eventually(() =>
      expect(readFileSync(join(runOf(home.state, "never"), "status"), "latin1")).toBe(""),
    );
    disk.clear();
    await agent.client();
    await back(agent, stage, always, { kind: "code", code: 5 });
    await ended(agent, "never", { kind: "code", code: 6 });
    expect(stage.doubles).toEqual([]);
  });

  test("is exact whatever became of its status, and unknown, for a reason, when nobody can say it", async ({
    home,
    agent,
    stage,
  }) => {
    const puppets = await leave(agent, stage, {
      ...{ torn: "always", removed: "never", lied: "never", folder: "never" },
      ...{ frozen: "always", kept: "never", restarted: "never", lives: "never" },
    });
    const { torn, removed, lied, folder, frozen, kept, restarted, lives } = puppets;
    const status = ({ hello }: Puppet) => join(runOf(home.state, hello.name), "status");
    const frozenKeeper = keeperOf(frozen);
    process.kill(frozenKeeper, "SIGSTOP");
    process.kill(keeperOf(kept), "SIGKILL");
    writeFileSync(status(lives), "0\n");
    await Promise.all([torn.exit(5), removed.exit(6), lied.exit(7), folder.exit(8), restarted.exit(9)]);
    process.kill(frozen.pid, "SIGKILL");
    process.kill(kept.pid, "SIGKILL");
    for (const puppet of [torn, removed, lied, folder, restarted]) await isOver(status(puppet));
    truncateSync(status(torn), 1);
    rmSync(status(removed));
    writeFileSync(status(lied), "junk that no keeper wrote\n");
    rmSync(status(folder));
    mkdirSync(status(folder));
    truncateSync(status(restarted), 0);

    await agent.client();
    await ended(agent, "removed", { kind: "code", code: 6 });
    await ended(agent, "lied", { kind: "code", code: 7 });
    await ended(agent, "folder", { kind: "code", code: 8 });
    await back(agent, stage, torn, { kind: "code", code: 5 });
    expect(await agent.call("restart", { name: "restarted" })).toMatchObject({ restarted: ["restarted"] });
    expect((await stage.next("restarted")).pid).not.toBe(restarted.pid);
    await ended(agent, "kept", { kind: "unknown", because: "its keeper had been killed" });
    await back(agent, stage, frozen, {
      kind: "unknown",
      because: "its keeper does not say how it ended",
    });
    expect(await agent.observed("lives")).toMatchObject({ state: "running", pid: lives.pid });
    expect(await agent.call("status", { name: "kept" })).toMatchObject({
      last_end: { unknown_because: "its keeper had been killed" },
    });
    expect(await agent.call("why", { name: "kept" })).toMatchObject({
      why: expect.stringContaining("exit code unknown: its keeper had been killed"),
    });
    process.kill(frozenKeeper, "SIGCONT");
    await eventually(() => expect(isAlive(frozenKeeper)).toBe(false), SOON);
    expect(stage.doubles).toEqual([]);
  });
});
