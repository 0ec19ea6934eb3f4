import * as fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isCode } from "../system/files.ts";

/** Searching plain files of output, with those that were rotated. */

interface FileSearch {
  readonly path: string;
  /** The open file at that path, and how much of it there was; undefined: there is none. */
  readonly fd: number | undefined;
  readonly size: number;
  readonly count: number;
  readonly matches: (line: string) => boolean;
  readonly signal: AbortSignal;
}

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The last lines that match, oldest first: one file after another is read in blocks, the newest first, until there are
 * enough. `rest`: the line at the end that lacks its newline.
 */
export async function lastMatching(search: FileSearch): Promise<{ found: string[]; rest: Buffer }> {
  const { path, count, signal } = search;
  const first = { fd: search.fd, size: search.size };
  let found: string[] = [];
  let rest: Buffer | undefined;
  const opened: number[] = [];
  try {
    for (let number = 1, file: OpenFile = first; !signal.aborted; number++) {
      const fd = openOlder(`${path}.${number}`);
      if (fd !== undefined) opened.push(fd);
      const older = { fd, size: fd === undefined ? 0 : fs.fstatSync(fd).size };
      const inFile = await matchingIn(file, unfinishedOf(older), count - found.length, search);
      found = [...inFile.found, ...found];
      rest ??= inFile.rest;
      if (fd === undefined || found.length >= count) break;
      file = older;
    }
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
  return { found, rest: rest ?? Buffer.alloc(0) };
}

interface OpenFile {
  readonly fd: number | undefined;
  readonly size: number;
}

/** `begun`: the beginning of its first line, from the file before. */
async function matchingIn(
  { fd, size }: OpenFile,
  begun: Buffer,
  most: number,
  { matches, signal }: FileSearch,
): Promise<{ found: string[]; rest: Buffer }> {
  let rest = begun;
  let found: string[] = [];
  for (let at = 0; fd !== undefined && at < size && !signal.aborted; ) {
    const block = Buffer.alloc(Math.min(BLOCK, size - at));
    const length = fs.readSync(fd, block, 0, block.length, at);
    if (length === 0) break;
    at += length;
    const bytes = Buffer.concat([rest, block.subarray(0, length)]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // A very long line counts in pieces.
    const whole = end === 0 && bytes.length < BLOCK ? 0 : end === 0 ? bytes.length : end;
    const lines = whole === 0 ? [] : bytes.toString("utf8", 0, end === 0 ? whole : end - 1).split("\n");
    rest = bytes.subarray(whole);
    found.push(...lines.filter((line) => matches(line)));
    if (found.length >= 2 * most) found = most === 0 ? [] : found.slice(-most);
    await nextTurn();
  }
  return { found: most === 0 ? [] : found.slice(-most), rest };
}

/** The end of a file that lacks its newline, as far as a block. */
function unfinishedOf({ fd, size }: OpenFile): Buffer {
  if (fd === undefined || size === 0) return Buffer.alloc(0);
  const block = Buffer.alloc(Math.min(BLOCK, size));
  fs.readSync(fd, block, 0, block.length, size - block.length);
  return block.subarray(block.lastIndexOf(NEWLINE) + 1);
}

function openOlder(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
