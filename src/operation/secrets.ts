import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { SecretOutcome } from "../config/resolve/world.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isCode, NoFile, readBytes, setAside, writeAtomic } from "../system/files.ts";
import { ensurePrivateDir } from "../system/paths.ts";
import { killTree } from "../system/processes.ts";

/** Longest run of a secret's command, ms, and most output of it, bytes. */
const COMMAND_BOUND = 60_000;
const MOST_OUTPUT = 64 * 1024;

/** Keyed hash under a key that only this account on this machine has: equal values can be told, never guessed. */
export function machineHmac(state: string): (value: string) => string {
  let key: Buffer | undefined;
  return (value) => {
    key ??= machineKey(state);
    return createHmac("sha256", key).update(value).digest("hex");
  };
}

/** Bytes of the key. */
const KEY_LENGTH = 32;

/**
 * 32 random bytes that only this account on this machine has; made when they are first needed. One that is torn is set
 * aside. Throws when it cannot be read.
 */
export function machineKey(state: string): Buffer {
  const path = join(state, "key");
  const found = readKey(path);
  if (found !== undefined && isKey(found)) return found;
  // Another command may have put a right one there in between.
  const now = readKey(path);
  if (now !== undefined && !isKey(now)) setAside(path, Date.now());
  ensurePrivateDir(state);
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  writeAtomic(draft, randomBytes(KEY_LENGTH), { durable: true });
  try {
    // The first to link makes the key; all others read it.
    fs.linkSync(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return fs.readFileSync(path);
}

/** After a power cut some file systems have zeros in a file of the right length. */
const isKey = (bytes: Buffer) => bytes.length === KEY_LENGTH && bytes.some((byte) => byte !== 0);

/** Empty where something is that is no file. */
function readKey(path: string): Buffer | undefined {
  try {
    return readBytes(path);
  } catch (error) {
    if (error instanceof NoFile && !error.isClosed) return Buffer.of();
    throw error;
  }
}

/**
 * Runs a secret's command line in a shell, with the caller's environment and terminal: a password manager may ask.
 * `folder`: where it runs. What does not end in time, or prints too much, is killed with all that it started.
 */
export function runSecretCommand(
  command: string,
  {
    boundMs = COMMAND_BOUND,
    signal,
    folder,
  }: { boundMs?: number; signal?: AbortSignal; folder?: string } = {},
): Promise<SecretOutcome> {
  if (signal?.aborted) return Promise.resolve({ kind: "missing", message: "its command was interrupted" });
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", command], {
      stdio: ["inherit", "pipe", "inherit"],
      ...withoutUndefined({ cwd: folder }),
    });
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (outcome: SecretOutcome) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      child.stdout.destroy();
      resolve(outcome);
    };
    const give = (what: string) =>
      settle({ kind: "missing", message: `its command ${what}: run it by hand to see why` });
    const end = (what: string) => {
      if (child.pid !== undefined) killTree(child.pid).catch(() => {});
      give(what);
    };
    const onAbort = () => end("was interrupted");
    const timer = setTimeout(() => end(`did not end within ${boundMs / 1000} s`), boundMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_OUTPUT) end(`printed more than ${MOST_OUTPUT / 1024} KiB`);
      else chunks.push(chunk);
    });
    child.once("error", (error) => give(`cannot be run (${error.message})`));
    child.once("close", (code, killer) => {
      const value = code === 0 ? textOf(Buffer.concat(chunks)) : undefined;
      if (value !== undefined) settle({ kind: "value", value });
      else if (code === 0) give("printed what is not UTF-8 text");
      else give(`ended with ${code ?? killer}`);
    });
  });
}

/** A value is what was printed, or it is none: undefined for what is not UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
