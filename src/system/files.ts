import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { crypto } from "./crypto.ts";

export interface WriteOptions {
  /** Default 0600. */
  readonly mode?: number;
  /** It has exactly that mode, whatever the umask. */
  readonly exact?: boolean;
  /** Also survives a power cut (fsync of file and folder). */
  readonly durable?: boolean;
  /** Asked just before the file is replaced: false leaves it as it is. */
  readonly onlyIf?: () => boolean;
}

/**
 * Writes a file so that a reader, or a crash at any moment, finds the old content or the new one, never a part.
 * On any error (a full disk, say) the old file is untouched, nothing is left beside it, and the error is thrown.
 * Returns whether it was written, which only `onlyIf` can prevent.
 */
export function writeAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): boolean {
  const temporary = `${path}.${crypto().randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = fs.openSync(temporary, "wx", options.mode ?? 0o600);
    try {
      fs.writeFileSync(fd, data);
      if (options.exact && options.mode !== undefined) fs.fchmodSync(fd, options.mode);
      if (options.durable) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    if (options.onlyIf?.() === false) {
      fs.rmSync(temporary);
      return false;
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw isFolder(path) ? new NoFile(path, "a folder", "write") : error;
  }
  if (options.durable) syncDir(dirname(path));
  return true;
}

/** Younger drafts may belong to a process that is writing now, ms. */
const DRAFT_AGE = 10_000;

/** Removes drafts that interrupted writes of this file left beside it. */
export function removeDrafts(path: string): void {
  const begin = `${basename(path)}.`;
  for (const entry of isFolder(dirname(path)) ? fs.readdirSync(dirname(path)) : []) {
    if (!entry.startsWith(begin) || !/^[0-9a-f]{12}\.tmp$/.test(entry.slice(begin.length))) continue;
    const draft = join(dirname(path), entry);
    const stat = fs.statSync(draft, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.ctimeMs > DRAFT_AGE) fs.rmSync(draft, { force: true });
  }
}

function syncDir(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** The parsed file; undefined if there is none. Throws what JSON.parse throws on junk, and as {@link readText}. */
export function readJson(path: string): unknown {
  const text = readText(path);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Something in one of xy's places prevents it from continuing, and a person has to fix that: the message says how. */
export class InTheWay extends Error {}

/** Something that is not a file, or that this account may not read, is where a file of xy belongs. */
export class NoFile extends InTheWay {
  /** It may be intact: only its permissions are wrong. */
  readonly isClosed: boolean;
  constructor(path: string, what: string, verb: "read" | "write" = "read") {
    super(
      what === CLOSED
        ? `cannot ${verb} ${path}: it is ${what}; make it readable, or move it away`
        : `cannot ${verb} ${path}: it is ${what}, where a file of xy belongs; move it away, and try again`,
    );
    this.isClosed = what === CLOSED;
  }
}

const CLOSED = "not readable for this account";

/**
 * Reads one of xy's records with `parse`, which throws if it is invalid. Undefined if there is none, or if it cannot be
 * trusted: then it is set aside, `told` is called with its new path and the reason, and `setAsides` reports it. Throws the
 * system's errors for a lack of resources.
 */
export function readRecord<T>(
  path: string,
  parse: (value: unknown) => T,
  told: (aside: string, why: string) => void = () => {},
): T | undefined {
  return peekRecord(path, parse, (damaged, why) => told(setAsideIn(damaged), why));
}

/** As {@link readRecord}, but changes nothing: `told` is called with the path of a record that cannot be trusted. */
export function peekRecord<T>(
  path: string,
  parse: (value: unknown) => T,
  told: (damaged: string, why: string) => void = () => {},
): T | undefined {
  let why: string;
  try {
    const value = readJson(path);
    return value === undefined ? undefined : parse(value);
  } catch (error) {
    // The system's errors have a code: a full table of files says nothing about the record.
    if (!(error instanceof NoFile) && error instanceof Error && "code" in error) throw error;
    why = error instanceof Error ? error.message : String(error);
  }
  told(path, why);
  return undefined;
}

/** How records are read: one that cannot be trusted is set aside, or only told of. */
export type ReadRecord = typeof readRecord;

/** Throws {@link InTheWay} if it is not the record that is damaged, but its folder. */
function setAsideIn(path: string): string {
  try {
    return setAside(path, Date.now());
  } catch (error) {
    const folder = dirname(path);
    if (isFolder(folder)) throw error;
    const what = `${folder} is ${whatIsAt(folder)}, where a folder of xy belongs`;
    throw new InTheWay(`cannot read ${path}: ${what}; move it away, and try again`);
  }
}

/** The file's text; undefined if there is none. Throws {@link NoFile}, or what the system throws. */
export function readText(path: string): string | undefined {
  return readBytes(path)?.toString("utf8");
}

/** The text of a file; undefined where the path does not lead to one, whatever it is then. */
export const textIfFile = (path: string): string | undefined => (isFile(path) ? readText(path) : undefined);

/** As {@link readText}. Does not block on a fifo. */
export function readBytes(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (isCode(error, "ENOTDIR") || (isCode(error, "ENOENT") && !isLink(path))) return undefined;
    throw isCode(error, ...NO_FILE) ? new NoFile(path, whatIsAt(path)) : error;
  }
  try {
    if (!fs.fstatSync(fd).isFile()) throw new NoFile(path, whatIsAt(path));
    return fs.readFileSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Codes with which opening a file fails permanently: a link to nowhere or to itself, a socket, no permission. */
const NO_FILE = ["ENOENT", "ELOOP", "ENXIO", "EACCES", "EPERM"];

/** Whether something exists, even a link that leads nowhere. */
export const isTaken = (path: string) => lstat(path) !== undefined;
const isLink = (path: string) => lstat(path)?.isSymbolicLink() === true;
const isPlainFile = (path: string) => lstat(path)?.isFile() === true;

/** What is at the path instead of a readable file, in words. */
function whatIsAt(path: string): string {
  const own = lstat(path);
  if (own === undefined) return "out of reach";
  if (own.isSymbolicLink() && !fs.existsSync(path)) return "a link that leads nowhere";
  if (isFolder(path)) return "a folder";
  if (isFile(path)) return own.isSymbolicLink() ? "a link" : CLOSED;
  return "a device, a pipe or a socket";
}

function lstat(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether the file has exactly this content; false if it cannot be read. */
export function isFileWith(path: string, data: string | Uint8Array): boolean {
  try {
    return readBytes(path)?.equals(typeof data === "string" ? Buffer.from(data) : data) === true;
  } catch {
    return false;
  }
}

/** Sets aside what is at a path where something else belongs. Returns its new path; undefined if there was no need. */
function makeWay(path: string, fits: (path: string) => boolean): string | undefined {
  return isTaken(path) && !fits(path) ? setAside(path, Date.now()) : undefined;
}

/** Sets aside what does not lead to a file, so that one can be written. Returns its new path, if that was needed. */
export const makeWayForFile = (path: string) => makeWay(path, isFile);
/** The same, and links are set aside too: for files that are written in place, not replaced. */
export const makeWayForPlainFile = (path: string) => makeWay(path, isPlainFile);
/** Sets aside what does not lead to a folder, so that one can be made. Returns its new path, if that was needed. */
export const makeWayForFolder = (path: string) => makeWay(path, isFolder);

/** Whether a path leads to a folder. */
export const isFolder = (path: string) => leadsTo(path)?.isDirectory() === true;
/** Whether a path leads to a file. */
const isFile = (path: string) => leadsTo(path)?.isFile() === true;

/** What a path leads to; undefined if it leads nowhere. */
export function leadsTo(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Entries of a folder that are numbers, sorted; none if it does not exist or is not a folder. */
export function numbersIn(dir: string): number[] {
  if (!isFolder(dir)) return [];
  return fs
    .readdirSync(dir)
    .filter((entry) => /^[1-9]\d*$/.test(entry))
    .map(Number)
    .sort((a, b) => a - b);
}

/** True for a system error with one of the codes. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

export const SET_ASIDE = ".set-aside-";

/**
 * Removes earlier versions of this file that {@link setAside} moved away: a good one exists now, and the damage was
 * reported. They may contain outdated secrets.
 */
export function removeSetAside(path: string): void {
  const begin = `${basename(path)}${SET_ASIDE}`;
  for (const entry of isFolder(dirname(path)) ? fs.readdirSync(dirname(path)) : [])
    if (entry.startsWith(begin)) fs.rmSync(join(dirname(path), entry), { recursive: true, force: true });
}

/**
 * Moves a file or folder that cannot be trusted out of the way, under a name that says so. Returns the new path. If another
 * process does the same at that moment, there is nothing to do.
 */
export function setAside(path: string, now: number): string {
  const aside = `${path}${SET_ASIDE}${now}-${crypto().randomBytes(3).toString("hex")}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
  return aside;
}
