import * as fs from "node:fs";
import { constants as osConstants } from "node:os";
import { join } from "node:path";
import type { Exit } from "../model/observed.ts";
import { isCode } from "../system/files.ts";

/** The folder of one run: the fifos between agent and keeper, and what the keeper writes down. See keeper.ts. */

const { O_RDONLY, O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;

/** A run folder's fifos, opened for reading. */
export interface RunFiles {
  readonly out: number;
  readonly err: number;
  readonly alive: number;
}

/** Whether everything that is read and written in the folder is still a fifo. */
export function hasFifos(dir: string): boolean {
  return ["out", "err", "alive", "release"].every(
    (name) => fs.lstatSync(join(dir, name), { throwIfNoEntry: false })?.isFIFO() === true,
  );
}

/** Removes what the server has put in place of what its keeper writes: the keeper, or we, would wait there for ever. */
export function removeTraps(dir: string): void {
  for (const name of ["status", "keeper", "pid", "seen"]) {
    const info = fs.lstatSync(join(dir, name), { throwIfNoEntry: false });
    if (info && !info.isFile()) fs.rmSync(join(dir, name), { recursive: true, force: true });
  }
}

/** All of them, or none and the error. */
export function openRunFiles(dir: string): RunFiles {
  const opened: number[] = [];
  const open = (name: string) => {
    const fd = fs.openSync(join(dir, name), O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    opened.push(fd);
    if (!fs.fstatSync(fd).isFIFO()) throw new Error(`${join(dir, name)} is no fifo any more`);
    return fd;
  };
  try {
    return { out: open("out"), err: open("err"), alive: open("alive") };
  } catch (error) {
    for (const fd of opened) fs.closeSync(fd);
    throw error;
  }
}

/** Write ends of what is read, held while the keeper has not opened its own. */
export function openWriteEnds(dir: string): number[] {
  return ["out", "err", "alive"].map((name) => fs.openSync(join(dir, name), O_WRONLY | O_NONBLOCK));
}

/** 128+n is how a shell reports the end by signal n. */
export function exitOf(code: number): Exit {
  const signal = Object.entries(osConstants.signals).find(([, n]) => n === code - 128)?.[0];
  return code > 128 && signal !== undefined ? { kind: "signal", signal } : { kind: "code", code };
}

/** Longest fact that a keeper writes down, bytes. */
const LONGEST_FACT = 32;

/**
 * A file of a keeper, and when it was written. The server can write to this folder as well as we can: what is no plain
 * file (a fifo would keep its reader waiting for ever), or too long, is nothing that a keeper wrote.
 */
function readFact(dir: string, name: "status" | "keeper" | "pid"): { text: string; at: number } | undefined {
  let fd: number;
  try {
    fd = fs.openSync(join(dir, name), O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EMLINK", "ENXIO")) return undefined;
    throw error;
  }
  try {
    const info = fs.fstatSync(fd);
    if (!info.isFile() || info.size > LONGEST_FACT) return undefined;
    const buffer = Buffer.alloc(LONGEST_FACT);
    const n = fs.readSync(fd, buffer, 0, LONGEST_FACT, 0);
    return { text: buffer.toString("latin1", 0, n), at: Math.round(info.mtimeMs) };
  } finally {
    fs.closeSync(fd);
  }
}

/** The end that the keeper wrote down; undefined while there is none. It is written in one piece, newline last. */
export function readStatus(dir: string): { exit: Exit; at: number } | undefined {
  const found = readFact(dir, "status");
  const code = /^(\d{1,3})\n$/.exec(found?.text ?? "")?.[1];
  return found && code !== undefined ? { exit: exitOf(Number(code)), at: found.at } : undefined;
}

/** A pid that the keeper wrote down (`keeper` or `pid`). Nothing else may be signalled by it: 0 would be our own group. */
export function readPid(dir: string, name: "keeper" | "pid"): number | undefined {
  const pid = Number(/^(\d+)\n$/.exec(readFact(dir, name)?.text ?? "")?.[1]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** When the program began, unix ms: its pid was written down just before. */
export function bornAt(dir: string): number {
  return Math.round(fs.statSync(join(dir, "pid"), { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/** When the run folder was made, unix ms: nobody writes to `release` before the end. 0 when it is gone. */
export function madeAt(dir: string): number {
  return Math.floor(fs.statSync(join(dir, "release"), { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

/** Lets the keeper of a run folder go, if there is one. False: there is none. */
export function releaseKeeper(dir: string): boolean {
  const fd = openRelease(dir);
  if (fd === undefined) return false;
  fs.writeSync(fd, "\n");
  fs.closeSync(fd);
  return true;
}

/** True while a keeper holds the run folder, also after its program ended. */
export function hasKeeper(dir: string): boolean {
  const fd = openRelease(dir);
  if (fd !== undefined) fs.closeSync(fd);
  return fd !== undefined;
}

/** Opening a fifo for writing fails while nobody reads it: so it tells whether the keeper is there. */
function openRelease(dir: string): number | undefined {
  try {
    const fd = fs.openSync(join(dir, "release"), O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
    if (fs.fstatSync(fd).isFIFO()) return fd;
    fs.closeSync(fd);
    return undefined;
  } catch (error) {
    if (isCode(error, "ENXIO", "ENOENT", "ELOOP", "EMLINK", "EISDIR")) return undefined;
    throw error;
  }
}

/** Bytes read without waiting: 0 at the end, -1 when there is nothing now. */
export function readNow(fd: number, buffer: Buffer): number {
  try {
    return fs.readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    if (isCode(error, "EAGAIN")) return -1;
    throw error;
  }
}
