import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { serverDir } from "../../src/system/paths.ts";
import { recordedNames } from "../../src/system/projects.ts";
import { mountDisk } from "../rig/disk.ts";
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
    if (!disk) return skip("needs to mount a small file system: root, or sudo without a password, on Linux");
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
