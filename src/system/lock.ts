import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { ProcessId } from "../model/process.ts";
import { isCode, makeWayForFolder, readText, writeAtomic } from "./files.ts";
import { ensurePrivateDir } from "./paths.ts";
import { identify, isRunning } from "./processes.ts";
import { isNoRoom } from "./shortage.ts";

/**
 * A lock that dies with its holder. It is a folder of numbered files; the highest number says who holds it (pid, start
 * time and boot), or nobody. Taking it over means creating the next number, which only one process can do, and only
 * when the holder of the highest is proven dead. Only a newer holder deletes older numbers, so the highest always exists:
 * a process that created a number below it, from an old listing, sees that and steps back.
 */
export interface Lock {
  /** False if somebody has removed it, or its folder. */
  isThere(): boolean;
  release(): void;
}

export type LockAttempt =
  | { readonly held: true; readonly lock: Lock }
  | { readonly held: false; readonly by: ProcessId };

interface Claim {
  readonly holder: ProcessId | null;
}

/** Takes the lock at `path` (a folder, made if missing) for this process, or says who has it. */
export function tryLock(path: string): LockAttempt {
  makeWayForFolder(dirname(path));
  ensurePrivateDir(dirname(path));
  makeWayForFolder(path);
  ensurePrivateDir(path);
  const self = identify(process.pid);
  if (!self) throw new Error("cannot tell the start time of this process");
  for (;;) {
    const top = highest(path);
    const claim = top === 0 ? null : readClaim(path, top);
    if (claim?.holder && isRunning(claim.holder)) return { held: false, by: claim.holder };
    const mine = top + 1;
    if (!create(path, mine, { holder: self })) continue;
    if (highest(path) !== mine) {
      fs.rmSync(join(path, String(mine)), { force: true });
      continue;
    }
    clearBelow(path, mine);
    return {
      held: true,
      lock: { isThere: () => highest(path) === mine, release: () => release(path, mine) },
    };
  }
}

/** Who holds the lock at `path` now, if anybody. Changes nothing. */
export function lockHolder(path: string): ProcessId | undefined {
  const top = highest(path);
  const holder = top === 0 ? null : readClaim(path, top)?.holder;
  return holder && isRunning(holder) ? holder : undefined;
}

function highest(path: string): number {
  try {
    return fs
      .readdirSync(path)
      .reduce((top, entry) => (/^\d+$/.test(entry) ? Math.max(top, Number(entry)) : top), 0);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return 0;
    throw error;
  }
}

/** Null for junk: a claim appears whole (by link), so no running process wrote it. */
function readClaim(path: string, number: number): Claim | null {
  try {
    return JSON.parse(readText(join(path, String(number))) ?? "null") as Claim | null;
  } catch {
    return null;
  }
}

/** The file appears whole, or not at all if the number is taken. */
function create(path: string, number: number, claim: Claim): boolean {
  const draft = join(path, `draft-${randomBytes(6).toString("hex")}`);
  try {
    fs.writeFileSync(draft, JSON.stringify(claim), { mode: 0o600, flag: "wx" });
    fs.linkSync(draft, join(path, String(number)));
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function clearBelow(path: string, number: number): void {
  for (const entry of fs.readdirSync(path)) {
    if (/^\d+$/.test(entry) && Number(entry) < number)
      fs.rmSync(join(path, entry), { force: true, recursive: true });
  }
}

function release(path: string, number: number): void {
  try {
    writeAtomic(join(path, String(number)), JSON.stringify({ holder: null } satisfies Claim));
  } catch (error) {
    // The state folder was removed under us: then there is no lock any more either. Where nothing can be written, this
    // process stays the holder, and whoever comes after its end proves that it is dead.
    if (!isCode(error, "ENOENT") && !isNoRoom(error)) throw error;
  }
}
