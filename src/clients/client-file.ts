import * as fs from "node:fs";
import { dirname, relative } from "node:path";
import { shellWord } from "../model/text.ts";
import { isCode, isTaken, readBytes, removeDrafts, writeAtomic } from "../system/files.ts";
import { isOwnWay } from "../system/private-folder.ts";
import { causeText } from "../system/shortage.ts";
import { hashOf } from "./edit.ts";
import type { ClientTarget } from "./types.ts";

/** A client's file on the disk: read with bounds, and replaced only while it is what was read. */

/** Larger ones are not read: no person's list of servers is that long. */
const LARGEST = 10 * 1024 * 1024;

export type FileRead =
  | { readonly ok: true; readonly text: string | undefined; readonly hash: string; readonly isFresh: boolean }
  /** `fault`: a clause after "cannot use it: ". */
  | { readonly ok: false; readonly fault: string };

/** The hash of no file. */
const NO_FILE = "none";
/** A file that changed so recently may still be written to, ms. */
const FRESH = 2_000;

export function readClientFile({ file, folder }: ClientTarget): FileRead {
  const no = (fault: string): FileRead => ({ ok: false, fault });
  try {
    if (!isTaken(file)) return { ok: true, text: undefined, hash: NO_FILE, isFresh: false };
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return no("it is a link that leads nowhere; remove it, or make what it leads to");
    if (stat.isDirectory()) return no("it is a folder; move it away");
    if (!stat.isFile()) return no("it is not a file; move it away");
    if (stat.uid !== process.getuid?.())
      return no("it belongs to another account; only that account can change it");
    if (stat.size > LARGEST) return no("it is larger than 10 MB");
    const outside = folder === undefined ? undefined : outsideOf(fs.realpathSync(file), folder);
    if (outside !== undefined) return no(outside);
    const bytes = readBytes(file) ?? Buffer.alloc(0);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { ok: true, text, hash: hashOf(text), isFresh: Math.abs(Date.now() - stat.mtimeMs) < FRESH };
  } catch (error) {
    if (error instanceof TypeError) return no("it is not UTF-8 text; save it as UTF-8");
    return no(causeText(error).replace(/^cannot read [^:]*: /, ""));
  }
}

/** A folder of somebody's project can hold a link to anywhere. */
function outsideOf(real: string, folder: string): string | undefined {
  const below = relative(fs.realpathSync(folder), real);
  return below.startsWith("..") ? `it leads out of its project, to ${real}` : undefined;
}

export type FileWrite =
  | { readonly is: "written"; readonly folders: readonly string[] }
  /** It is not what was read any more. */
  | { readonly is: "changed" }
  | { readonly is: "refused"; readonly fault: string };

/** Files of the account may come to hold more than addresses; those of a project are for all who work on it. */
const MODES = { user: 0o600, project: 0o644 } as const;

/** Replaces the file, or what it links to, or makes it. `hash`: of what it is replaced for. */
export function writeClientFile(target: ClientTarget, text: string, hash: string): FileWrite {
  const { file, folder, scope } = target;
  const made: string[] = [];
  try {
    const place = isTaken(file) ? fs.realpathSync(file) : file;
    if (!isTaken(place)) makeFolders(dirname(place), made);
    const outside = folder === undefined ? undefined : outsideOf(fs.realpathSync(dirname(place)), folder);
    const fault = outside ?? whyNotWritable(target);
    if (fault !== undefined) {
      removeFolders(made);
      return { is: "refused", fault };
    }
    removeDrafts(place);
    const mode = fs.statSync(place, { throwIfNoEntry: false })?.mode ?? MODES[scope];
    const isSame = () => hashNow(target) === hash;
    const options = { mode: mode & 0o7777, exact: isTaken(place), durable: true, onlyIf: isSame };
    if (!writeAtomic(place, text, options)) return { is: "changed" };
    return { is: "written", folders: made };
  } catch (error) {
    removeFolders(made);
    return { is: "refused", fault: causeText(error) };
  }
}

/** Removes a file that xy made, and the folders that it made for it, as far as they are empty. */
export function removeClientFile(target: ClientTarget, hash: string, folders: readonly string[]): FileWrite {
  try {
    if (hashNow(target) !== hash) return { is: "changed" };
    const place = isTaken(target.file) ? fs.realpathSync(target.file) : target.file;
    fs.rmSync(place, { force: true });
    removeFolders(folders);
    return { is: "written", folders: [] };
  } catch (error) {
    return { is: "refused", fault: causeText(error) };
  }
}

function hashNow(target: ClientTarget): string | undefined {
  const now = readClientFile(target);
  return now.ok ? now.hash : undefined;
}

/** A file that is there; one that is not can be refused only when it is made. */
export function whyNotWritable({ file }: ClientTarget): string | undefined {
  const place = isTaken(file) ? fs.realpathSync(file) : file;
  const stat = fs.statSync(place, { throwIfNoEntry: false });
  if (stat !== undefined && (stat.mode & 0o200) === 0)
    return `it is read-only; run: chmod u+w ${shellWord(place)}`;
  if (!isOwnWay(place))
    return `others could replace ${place === file ? "it" : place}: see who can write to its folders`;
  return undefined;
}

/** As mkdir -p; notes what it made. */
function makeFolders(folder: string, made: string[]): void {
  if (fs.existsSync(folder)) return;
  makeFolders(dirname(folder), made);
  fs.mkdirSync(folder);
  made.push(folder);
}

function removeFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      fs.rmdirSync(folder);
    } catch (error) {
      if (!isCode(error, "ENOTEMPTY", "ENOENT", "EEXIST")) throw error;
      return;
    }
  }
}
