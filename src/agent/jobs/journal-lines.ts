import * as fs from "node:fs";
import { type JobSpec, jobSpec } from "../../model/job.ts";
import { isCode } from "../../system/files.ts";

/** The lines of a journal in a file, and in the bytes of one. */

/** The lines of these specs, each with its newline, in one pass: there may be as many as jobs. */
export function specLines(bytes: Buffer, wanted: ReadonlySet<string>): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const line of linesWith(bytes, SPEC_HEAD)) {
    const [of] = line.toString("latin1", SPEC_HEAD.length, SPEC_HEAD.length + HASH_MOST).split('"', 1);
    if (of !== undefined && wanted.has(of) && isJson(line)) found.set(of, Buffer.concat([line, NEWLINE]));
  }
  return found;
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

const NEWLINE = Buffer.of(0x0a);
export const SPEC_HEAD = '{"spec":"';
/** No hash is longer, characters. */
const HASH_MOST = 128;

export function specIn(bytes: Buffer, of: string): JobSpec | null {
  for (const line of linesWith(bytes, `{"spec":"${of}",`)) {
    try {
      return jobSpec.parse(JSON.parse(line.toString("utf8")).is);
    } catch {
      // Perhaps it is there once more.
    }
  }
  return null;
}

/** The lines that begin so. */
export function linesWith(bytes: Buffer, head: string): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = bytes.indexOf(head); at !== -1; at = bytes.indexOf(head, at + 1)) {
    if (at > 0 && bytes[at - 1] !== 0x0a) continue;
    const end = bytes.indexOf(0x0a, at);
    if (end !== -1) lines.push(bytes.subarray(at, end));
  }
  return lines;
}

export function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

const BLOCK = 64 * 1024;

export function endOfLastLine(fd: number, size: number): number {
  for (let end = size; end > 0; end -= BLOCK) {
    const start = Math.max(0, end - BLOCK);
    const block = Buffer.alloc(end - start);
    fs.readSync(fd, block, 0, block.length, start);
    const newline = block.lastIndexOf(0x0a);
    if (newline !== -1) return start + newline + 1;
  }
  return 0;
}

/** Nothing is there, or no folder that it could be in: a link to itself, say. */
const NOT_THERE = ["ENOENT", "ENOTDIR", "ELOOP"];

export function openIfThere(path: string, flags = "r"): number | undefined {
  try {
    return fs.openSync(path, flags);
  } catch (error) {
    if (isCode(error, ...NOT_THERE)) return undefined;
    throw error;
  }
}

export function readIfThere(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (isCode(error, ...NOT_THERE)) return undefined;
    throw error;
  }
}
