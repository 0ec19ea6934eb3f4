import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Disk, mountDisk } from "../rig/disk.ts";
import { eventually } from "../rig/eventually.ts";
import { isAlive } from "../rig/processes.ts";
import { type Home, newHome } from "./cli.ts";

const NEEDS = "needs to mount a small file system: root, or sudo without a password, on Linux";

/** A small disk for the state folder. */
function smallDisk({ state }: Home): Disk | undefined {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return mountDisk(state, 8);
}

it("can be stopped and destroyed, and both say what is not on disk", async ({ skip }) => {
  const home = newHome();
  const disk = smallDisk(home) ?? skip(NEEDS);
  let end = () => {};
  try {
    for (const name of ["a", "b"]) home.declare(name);
    await home.did("apply", "--yes");
    end = disk.keepFull();

    const stopped = await home.xy("stop", "a");
    expect(stopped).toMatchObject({ code: 0, stdout: "a: stopped\n" });
    const cause = "its record cannot be written: no space left on device (ENOSPC)";
    expect(stopped.stderr).toContain(`xy: a is held, but that is not on disk: ${cause}`);
    expect(await home.did("list")).toContain(`warning: tools/a: ${cause}\n`);
    expect(await home.did("status", "a")).toContain(`trouble:    ${cause}`);
    expect(await home.did("agent", "status")).toContain(`Trouble tools/a: ${cause}\n`);
    const words = (await home.did("why", "a")).replace(/\s+/g, " ");
    expect(words).toContain("a is held: you stopped it");
    expect(words).toContain(`Trouble: ${cause}.`);

    const applied = await home.xy("apply", "--yes");
    expect(applied).toMatchObject({ code: 1 });
    expect(applied.stderr).toContain(
      "nothing was applied: the lock of tools cannot be written: no space left on device (ENOSPC)",
    );
    expect(readdirSync(join(home.state, "locks/tools")).filter((name) => name.startsWith("draft"))).toEqual(
      [],
    );

    const destroyed = await home.xy("destroy", "--yes");
    expect(destroyed.stderr).toContain("going on without it, since this only removes");
    expect(destroyed).toMatchObject({ code: 0 });
    expect(destroyed.stdout).toContain("Destroy complete: 0 added, 0 changed, 2 removed.");
    expect(await home.servers()).toEqual({});
    end();
    await eventually(() => expect(readdirSync(join(home.state, "projects"))).toEqual([]));
  } finally {
    end();
    await home.xy("agent", "stop");
    disk.unmount();
  }
});

it("says that nothing can be removed from a read-only folder, after it has stopped what runs", async ({
  skip,
}) => {
  const home = newHome();
  const disk = smallDisk(home) ?? skip(NEEDS);
  try {
    home.declare("a");
    await home.did("apply", "--yes");
    disk.freeze();
    const destroyed = await home.xy("destroy", "--yes");
    expect(destroyed.code).toBe(1);
    expect(destroyed.stdout).toContain(
      "cannot remove a: read-only file system (EROFS); it was stopped, but its record is still there",
    );
    expect(await home.servers()).toMatchObject({ a: { state: "stopped" } });
    disk.thaw();
    expect(await home.did("destroy", "--yes")).toContain("1 removed");
    expect(await home.servers()).toEqual({});
  } finally {
    disk.thaw();
    await home.xy("agent", "stop");
    disk.unmount();
  }
});

it("says what keeps an agent from being started, and starts one once there is room", async ({ skip }) => {
  const home = newHome();
  const disk = smallDisk(home) ?? skip(NEEDS);
  try {
    home.declare("a");
    await home.did("apply", "--yes");
    const before = await home.servers();
    const { pid, loop } = JSON.parse(readFileSync(join(home.state, "agent.json"), "utf8"));
    for (const each of [loop.pid, pid]) process.kill(each, "SIGKILL");
    await eventually(() => expect(isAlive(pid)).toBe(false));
    disk.fill();
    const listed = await home.xy("list");
    expect(listed.code).not.toBe(0);
    expect(listed.stderr).toMatch(/no space left on device \(ENOSPC\)/);
    expect(listed.stderr).not.toMatch(/XY_DEBUG|^xy: ENOSPC/);
    disk.clear();
    expect(await home.servers()).toMatchObject({ a: { state: "running", pid: before.a?.pid } });
  } finally {
    disk.clear();
    await home.xy("agent", "stop");
    disk.unmount();
  }
});
