import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A small file system, mounted over a folder. */
export interface Disk {
  /** Writes until there is no room left. */
  fill(): void;
  /** Makes room again. */
  clear(): void;
  /** Takes whatever becomes free, until it is told to stop. */
  keepFull(): () => void;
  /** Makes it read-only. What is open for writing stays so. */
  freeze(): void;
  thaw(): void;
  unmount(): void;
}

/** Undefined where this account may not mount, not even with sudo. */
export function mountDisk(folder: string, mebibytes: number): Disk | undefined {
  const options = `size=${mebibytes}m,mode=700,uid=${process.getuid?.()}`;
  if (!asRoot("mount", "-t", "tmpfs", "-o", options, "none", folder)) return undefined;
  const filler = join(folder, "filler");
  let isFrozen = false;
  return {
    fill: () => fill(filler),
    clear: () => rmSync(filler, { force: true }),
    keepFull: () => {
      fill(filler);
      const loop = `open F, ">>", shift; for (;;) { 1 while syswrite F, "x" x 4096; select undef, undef, undef, 0.001 }`;
      const filling = spawn("perl", ["-e", loop, filler], { stdio: "ignore" });
      return () => {
        filling.kill("SIGKILL");
        rmSync(filler, { force: true });
      };
    },
    freeze: () => {
      isFrozen =
        asRoot("mount", "--bind", folder, folder) && asRoot("mount", "-o", "remount,bind,ro", folder);
      if (!isFrozen) throw new Error(`cannot make ${folder} read-only`);
    },
    thaw: () => {
      if (isFrozen) asRoot("umount", "-l", folder);
      isFrozen = false;
    },
    unmount: () => void asRoot("umount", "-l", folder),
  };
}

function asRoot(...command: string[]): boolean {
  if (process.platform !== "linux") return false;
  const [program = "", ...args] = process.getuid?.() === 0 ? command : ["sudo", "-n", ...command];
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

function fill(path: string): void {
  const fd = openSync(path, "a");
  try {
    for (const size of [65536, 512]) writeWhilePossible(fd, Buffer.alloc(size));
  } finally {
    closeSync(fd);
  }
}

function writeWhilePossible(fd: number, block: Buffer): void {
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
