import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { readJson } from "../../src/system/files.ts";
import { serverDir } from "../../src/system/paths.ts";
import { recordedNames } from "../../src/system/projects.ts";
import { type Disk, mountDisk } from "../rig/disk.ts";
import { eventually } from "../rig/eventually.ts";
import { printedIn } from "../rig/log-file.ts";
import { PROJECT } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

describe("a full disk", () => {
  test("leaves records whole and servers alive; what cannot be done is said", async ({
    home,
    agent,
    stage,
    skip,
  }) => {
    mkdirSync(home.state, { mode: 0o700 });
    const disk = mountDisk(home.state, 2);
    if (!disk) return skip(NEEDS);
    home.undo.push(disk.unmount);
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const specPath = join(serverDir(home.state, PROJECT, "a"), "spec.json");
    const before = readFileSync(specPath, "utf8");

    disk.fill();

    const changed = stage.spec("a", { env: { CHANGED: "1" } });
    await expect(agent.apply(changed, "restart")).rejects.toThrow("ENOSPC");
    await expect(agent.apply(stage.spec("b"), "add")).rejects.toThrow("ENOSPC");
    expect(readFileSync(specPath, "utf8")).toBe(before);
    expect(recordedNames(home.state, PROJECT)).toEqual(["a"]);
    // Printing does not wait for the disk.
    await puppet.do({ deed: "print", stream: "out", from: 0, to: 20_000 });
    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid, restartCount: 0 });
    expect(stage.entries).toHaveLength(1);

    await agent.kill();
    disk.clear();
    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid });
    await puppet.do({ deed: "write", stream: "err", text: "after\n" });
    await eventually(() => expect(printedIn(home.state, "a", "err").toString()).toContain("after\n"));
    expect(await agent.apply(changed, "restart", 0)).toMatchObject({ ok: true });
    expect((await stage.next("a")).hello.env).toMatchObject({ CHANGED: "1" });
  });
});

const NEEDS = "needs to mount a small file system: root, or sudo without a password, on Linux";

/** Ways in which nothing can be written any more, and what the system says of each. Each returns how to end it. */
const FAULTS = [
  {
    fault: "full",
    said: "no space left on device (ENOSPC)",
    begin: (disk: Disk) => disk.keepFull(),
  },
  {
    fault: "read-only",
    said: "read-only file system (EROFS)",
    begin: (disk: Disk) => {
      disk.freeze();
      return () => disk.thaw();
    },
  },
];

describe.for(FAULTS)("where the state folder is $fault", ({ said, begin }) => {
  test("a stop and a kill do their work, say what is not on disk, and that follows", async ({
    home,
    agent,
    stage,
    skip,
  }) => {
    mkdirSync(home.state, { mode: 0o700 });
    const disk = mountDisk(home.state, 8);
    if (!disk) return skip(NEEDS);
    home.undo.push(disk.unmount);
    for (const name of ["a", "b", "c"]) await agent.apply(stage.spec(name), "add", 0);
    const [a, b, c] = [await stage.next("a"), await stage.next("b"), await stage.next("c")];
    const end = begin(disk);
    home.undo.unshift(end);

    const message = `its record cannot be written: ${said}`;
    expect(await agent.call("stop", { name: "a" })).toMatchObject({
      stopped: ["a"],
      failed: [],
      unrecorded: [{ name: "a", message }],
    });
    expect(await agent.call("kill", { names: ["b"] })).toMatchObject({
      killed: ["b"],
      unrecorded: [{ name: "b", message }],
    });
    await Promise.all([a.gone, b.gone]);
    // What would end a server that cannot be started again afterwards is refused.
    await expect(agent.call("restart", { name: "c" })).rejects.toThrow(
      `cannot write the record of c: ${said}; nothing was changed`,
    );
    await expect(agent.call("restart", { all: true })).resolves.toMatchObject({
      restarted: [],
      failed: [{ name: "a" }, { name: "b" }, { name: "c" }],
    });
    expect(await agent.observed("c")).toMatchObject({ state: "running", pid: c.pid });
    expect(await agent.call("list", {})).toMatchObject([
      { name: "a", state: "stopped", held: true, troubles: [message] },
      { name: "b", state: "stopped", held: true, troubles: [message] },
      { name: "c", state: "running" },
    ]);
    expect(await agent.call("agent_info", {})).toMatchObject({
      troubles: expect.arrayContaining([expect.objectContaining({ name: "a", trouble: message })]),
    });

    end();
    for (const name of ["a", "b"])
      await eventually(() =>
        expect(readJson(join(serverDir(home.state, PROJECT, name), "state.json"))).toMatchObject({
          operator: "stop",
          state: { phase: { tag: "stopped" } },
        }),
      );
    await eventually(async () =>
      expect(JSON.stringify(await agent.call("list", {}))).not.toContain("troubles"),
    );
    expect(stage.entries).toHaveLength(3);
  });

  test("what ended says why it does not come back, and comes back with the room", async ({
    home,
    agent,
    stage,
    skip,
  }) => {
    mkdirSync(home.state, { mode: 0o700 });
    const disk = mountDisk(home.state, 8);
    if (!disk) return skip(NEEDS);
    home.undo.push(disk.unmount);
    const restart = {
      ...stage.spec("a").restart,
      backoffInitial: 10,
      backoffMax: 20,
      maxRetriesPerMinute: 2,
    };
    await agent.apply(stage.spec("a", { restart }), "add", 0);
    const first = await stage.next("a");
    const end = begin(disk);
    home.undo.unshift(end);

    await first.exit(7);
    await eventually(async () => {
      const { why } = await agent.call("why", { name: "a" });
      expect(why).toContain(`cannot start: its record cannot be written: ${said}`);
    });
    // A person's word is no end of it either.
    await expect(agent.call("start", { name: "a" })).rejects.toThrow(said);
    expect(await agent.observed("a")).toMatchObject({
      state: "restarting",
      lastExit: { exit: { kind: "code", code: 7 } },
    });
    expect(await agent.call("list", {})).toMatchObject([
      { state: "restarting", last_exit: 7, troubles: [`its record cannot be written: ${said}`] },
    ]);
    end();
    const next = await stage.next("a");
    await eventually(async () =>
      expect(await agent.observed("a")).toMatchObject({ state: "running", pid: next.pid }),
    );
    expect(stage.doubles).toEqual([]);
  });
});
