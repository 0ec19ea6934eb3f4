import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { RunFolders } from "../../src/agent/runs/run-folders.ts";
import { mountDisk } from "../rig/disk.ts";
import { eventually } from "../rig/eventually.ts";
import { test } from "../rig/test.ts";

describe("run folders that are kept ready", () => {
  test("cost nobody anything when the disk turns read-only while they are made", async ({ home, skip }) => {
    mkdirSync(home.state, { mode: 0o700 });
    const disk = mountDisk(home.state, 2);
    if (!disk) return skip("needs to mount a small file system: root, or sudo without a password, on Linux");
    home.undo.push(disk.unmount);
    const at = (name: string) => join(home.root, name);
    const steps = `touch ${at("begun")}; while [ ! -e ${at("go")} ]; do sleep 0.02; done; touch ${at("over")}; exit 1`;
    chmodSync(home.folder.write(at("bin/mkfifo"), `#!/bin/sh\n${steps}\n`), 0o700);
    const { PATH } = process.env;
    home.undo.push(() => {
      process.env.PATH = PATH;
    });
    process.env.PATH = `${at("bin")}:${PATH}`;
    const folders = new RunFolders();
    folders.keepReady(home.state, { atOnce: true });
    await eventually(() => expect(existsSync(at("begun"))).toBe(true));
    disk.freeze();
    home.undo.unshift(disk.thaw);
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", note);
    home.undo.push(() => process.off("unhandledRejection", note));
    home.folder.write(at("go"), "");
    await eventually(() => expect(existsSync(at("over"))).toBe(true));
    process.env.PATH = PATH;
    disk.thaw();
    // By now what failed has been cleared away, or has not.
    await folders.make(join(home.state, "run/1"));
    expect(existsSync(join(home.state, "run/1/release"))).toBe(true);
    expect(unhandled).toEqual([]);
    folders.dropReady();
  });
});
