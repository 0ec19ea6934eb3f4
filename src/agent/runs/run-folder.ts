import * as fs from "node:fs";
import { constants as osConstants } from "node:os";
import { join } from "node:path";
import type { Exit } from "../../model/observed.ts";
import { isCode } from "../../system/files.ts";

/** The folder of one run: the fifos between agent and keeper, and what the keeper writes down. See keeper.ts. */

const { O_RDONLY, O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;

/** A run folder's fifos, opened for reading. */
export interface RunFiles {
  readonly out: number;
  readonly err: number;
  readonly alive: number;
}

/** Where the fifos of a run are reached. */
export type Doors = Readonly<Record<keyof typeof HELD, string>>;

/** The descriptor by which a keeper holds each fifo. */
const HELD = { out: 3, err: 4, alive: 5, release: 6 } as const;

/** The fifos in the folder. If the keeper holds others, those instead, where the system shows them. */
export function doorsOf(dir: string, keeper: number | undefined): Doors {
  const door = (name: keyof typeof HELD) => {
    const path = join(dir, name);
    if (keeper === undefined) return path;
    const held = heldBy(keeper, name);
    return isFifo(held) && !isSameFile(held, path) ? held : path;
  };
  return { out: door("out"), err: door("err"), alive: door("alive"), release: door("release") };
}

/** Whether a process holds the folder's fifos as its keeper does, whatever the folder is called now. */
export function holdsAsKeeper(pid: number, dir: string): boolean {
  return isSameFile(heldBy(pid, "out"), join(dir, "out"));
}

const heldBy = (keeper: number, name: keyof typeof HELD) => `/proc/${keeper}/fd/${HELD[name]}`;
const look = (path: string) => {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isCode(error, "EACCES", "ENOTDIR", "ELOOP", "ESRCH")) return undefined;
    throw error;
  }
};
const isFifo = (path: string) => look(path)?.isFIFO() === true;

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [look(a), look(b)];
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Whether the path is a fifo, and not a link to one. */
export function isFifoItself(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** Removes what the server put in place of the keeper's files: the keeper, or the agent, would wait there for ever. */
export function removeTraps(dir: string): void {
  for (const name of ["status", "keeper", "pid", "seen"]) {
    const info = fs.lstatSync(join(dir, name), { throwIfNoEntry: false });
    if (info && !info.isFile()) fs.rmSync(join(dir, name), { recursive: true, force: true });
  }
}

/** Opens all of them, or none and throws. */
export function openRunFiles(doors: Doors): RunFiles {
  const opened: number[] = [];
  const open = (name: keyof RunFiles) => {
    const path = doors[name];
    const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | noLink(path));
    opened.push(fd);
    if (!fs.fstatSync(fd).isFIFO()) throw new Error(`${path} is no longer a fifo`);
    return fd;
  };
  try {
    return { out: open("out"), err: open("err"), alive: open("alive") };
  } catch (error) {
    for (const fd of opened) fs.closeSync(fd);
    throw error;
  }
}

/** The system shows a process's files as links; in a run folder, a link is never ours. */
const noLink = (path: string) => (path.startsWith("/proc/") ? 0 : O_NOFOLLOW);

/** Write ends of the fifos, held until the keeper has opened its own. */
export function openWriteEnds(dir: string): number[] {
  return ["out", "err", "alive"].map((name) => fs.openSync(join(dir, name), O_WRONLY | O_NONBLOCK));
}

/** 128+n is how a shell reports the end by signal n. */
export function exitOf(code: number): Exit {
  const signal = Object.entries(osConstants.signals).find(([, n]) => n === code - 128)?.[0];
  return code > 128 && signal !== undefined ? { kind: "signal", signal } : { kind: "code", code };
}

/** Longest file that a keeper writes, bytes. */
const LONGEST_FACT = 32;

/**
 * A keeper's file, and when it was written. The server can write to this folder too: anything that is not a plain file
 * (a fifo would block its reader for ever), or is too long, was not written by a keeper.
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

/** The exit that the keeper recorded; undefined while there is none. It is written in one piece, newline last. */
export function readStatus(dir: string): { exit: Exit; at: number } | undefined {
  const found = readFact(dir, "status");
  const code = /^(\d{1,3})\n$/.exec(found?.text ?? "")?.[1];
  return found && code !== undefined ? { exit: exitOf(Number(code)), at: found.at } : undefined;
}

/** A pid that the keeper recorded (`keeper` or `pid`). Nothing else may be signalled: 0 would be our own group. */
export function readPid(dir: string, name: "keeper" | "pid"): number | undefined {
  const pid = Number(/^(\d+)\n$/.exec(readFact(dir, name)?.text ?? "")?.[1]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** When the program started, unix ms: its pid was recorded just before. */
export function bornAt(dir: string): number {
  return Math.round(look(join(dir, "pid"))?.mtimeMs ?? Date.now());
}

/** When the run folder was made, unix ms: nobody writes to `release` before the end. 0: the folder is gone. */
export function madeAt(dir: string): number {
  return Math.floor(look(join(dir, "release"))?.mtimeMs ?? 0);
}

/** Sends a line to a run's keeper: an empty line releases it. False: there is no keeper. */
export function tellKeeper({ release }: Pick<Doors, "release">, line = "\n"): boolean {
  const fd = openRelease(release);
  if (fd === undefined) return false;
  try {
    fs.writeSync(fd, line);
  } catch (error) {
    // The keeper reads what is already in the pipe as soon as it continues.
    if (!isCode(error, "EAGAIN", "EPIPE")) throw error;
  } finally {
    fs.closeSync(fd);
  }
  return true;
}

/** True while a keeper holds the run folder, even after its program has ended. */
export function hasKeeper(dir: string): boolean {
  return isHeld({ release: join(dir, "release") });
}

/** The same for a run that is reached in another way. */
export function isHeld({ release }: Pick<Doors, "release">): boolean {
  const fd = openRelease(release);
  if (fd !== undefined) fs.closeSync(fd);
  return fd !== undefined;
}

/** Opening a fifo for writing fails while nobody reads it: that shows whether the keeper is there. */
function openRelease(path: string): number | undefined {
  try {
    const fd = fs.openSync(path, O_WRONLY | O_NONBLOCK | noLink(path));
    if (fs.fstatSync(fd).isFIFO()) return fd;
    fs.closeSync(fd);
    return undefined;
  } catch (error) {
    if (isCode(error, "ENXIO", "ENOENT", "ENOTDIR", "ELOOP", "EMLINK", "EISDIR")) return undefined;
    throw error;
  }
}

/** Reads without waiting: the number of bytes, 0 at the end, -1 if there is nothing yet. */
export function readNow(fd: number, buffer: Buffer): number {
  try {
    return fs.readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    if (isCode(error, "EAGAIN")) return -1;
    throw error;
  }
}
