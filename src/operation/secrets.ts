import { execFile } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { SecretOutcome } from "../config/world.ts";
import { isCode } from "../system/files.ts";
import { ensurePrivateDir } from "../system/paths.ts";

/** Longest run of a secret's command, ms, and most output of it, bytes. */
const COMMAND_BOUND = 60_000;
const MOST_OUTPUT = 64 * 1024;

/** Keyed hash under a key that only this account on this machine has: equal values can be told, never guessed. */
export function machineHmac(state: string): (value: string) => string {
  let key: Buffer | undefined;
  return (value) => {
    key ??= readKey(state);
    return createHmac("sha256", key).update(value).digest("hex");
  };
}

function readKey(state: string): Buffer {
  const path = join(state, "key");
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
  ensurePrivateDir(state);
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  fs.writeFileSync(draft, randomBytes(32), { mode: 0o600, flag: "wx" });
  try {
    // Whoever links first makes the key; everybody then reads that one.
    fs.linkSync(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return fs.readFileSync(path);
}

/** Runs a secret's command line in a shell, with the caller's environment and terminal input (a password manager may ask). */
export function runSecretCommand(command: string): Promise<SecretOutcome> {
  return new Promise((resolve) => {
    const options = { timeout: COMMAND_BOUND, maxBuffer: MOST_OUTPUT, encoding: "utf8" } as const;
    execFile("/bin/sh", ["-c", command], options, (error, stdout) => {
      if (!error) return resolve({ kind: "value", value: stdout });
      resolve({ kind: "missing", message: `its command ${failure(error)}: run it by hand to see why` });
    });
  });
}

function failure(error: Error & { code?: unknown; killed?: boolean }): string {
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return `printed more than ${MOST_OUTPUT / 1024} KiB`;
  if (error.killed) return `did not end within ${COMMAND_BOUND / 1000} s`;
  return `ended with ${error.code}`;
}
