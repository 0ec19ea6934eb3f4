import * as fs from "node:fs";
import { linesIn } from "../model/text.ts";
import { isCode } from "../system/files.ts";
import { lastMatching } from "./log-file-search.ts";

/** Lines of output in plain files, which service managers write without times. */

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  readonly line: string;
  /** Unix ms; absent if it was not recorded. */
  readonly at?: number;
}

export interface LogRequest {
  /** How many of the last lines to read. */
  readonly tail: number;
  /** Continue with new lines. */
  readonly follow: boolean;
  /** Unix ms: older lines are skipped. */
  readonly since?: number;
  readonly stream?: LogLine["stream"];
  /** Only such lines: `tail` counts these. */
  readonly matches?: (line: string) => boolean;
  /**
   * If nobody reports the end of a run: after a second, an unfinished line counts as a line, and what follows it as
   * another.
   */
  readonly asItStands?: boolean;
}

/** Absolute paths of the files that get what a server prints. */
export type LogFiles = Readonly<Record<"out" | "err", string>>;
/** Those of a server, by its name. */
export type LogFilesOf = (name: string) => LogFiles;

const BLOCK = 64 * 1024;
/** How far back to look for the last lines of a stream, bytes. */
const LONGEST_TAIL = 64 << 20;
/** Looks after which an unfinished line counts as a line. */
export const STANDING_LOOKS = 7;
/** Pause between two looks for new output, ms. */
const LOOK_GAP = 150;
const NEWLINE = 0x0a;

/**
 * The last lines of each file, standard error after standard output, as their order is unknown. With `follow`, then new
 * lines until aborted, across rotations.
 */
export async function* fileLines(
  files: LogFiles,
  { tail, follow, stream, asItStands = false, matches }: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  const isAsked = matches ?? (() => true);
  const wanted = (["stdout", "stderr"] as const).filter((name) => stream === undefined || stream === name);
  const tails = wanted.map((name) => ({
    name,
    tail: new FileTail(files[name === "stdout" ? "out" : "err"]),
  }));
  try {
    for (const { name, tail: file } of tails) {
      const past = matches ? await file.lastMatching(tail, follow, matches, signal) : file.last(tail, follow);
      for (const line of past) yield { stream: name, line };
    }
    while (follow && !signal.aborted) {
      for (const { name, tail: file } of tails) {
        const lines = [...file.more(), ...(asItStands ? file.standing() : [])];
        for (const line of lines.filter(isAsked)) yield { stream: name, line };
      }
      await pause(LOOK_GAP, signal);
    }
    // Its newline will not come any more.
    if (follow)
      for (const { name, tail: file } of tails)
        for (const line of [...file.more(), ...file.rest()].filter(isAsked)) yield { stream: name, line };
  } finally {
    for (const { tail: file } of tails) file.close();
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** One growing file, which is rotated now and then. */
class FileTail {
  readonly #path: string;
  #fd: number | undefined;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  /** Looks since the unfinished line last grew. */
  #looks = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = open(path);
  }

  /** The last lines, from rotated files too. `growing`: an unfinished line is left for {@link more}. */
  last(count: number, growing: boolean): string[] {
    const { bytes, end } = tailOf(this.#path, this.#fd, count);
    this.#offset = end;
    const { whole, rest } = linesOf(bytes);
    if (growing) this.#rest = rest;
    const lines = growing || rest.length === 0 ? whole : [...whole, text(rest)];
    return count === 0 ? [] : lines.slice(-count);
  }

  /** The last lines that match: only those are kept of what is read, piece by piece, until `signal` is aborted. */
  async lastMatching(
    count: number,
    growing: boolean,
    matches: (line: string) => boolean,
    signal: AbortSignal,
  ): Promise<string[]> {
    this.#offset = this.#fd === undefined ? 0 : fs.fstatSync(this.#fd).size;
    const search = { path: this.#path, fd: this.#fd, size: this.#offset, count, matches, signal };
    const { found, rest } = await lastMatching(search);
    if (growing) this.#rest = rest;
    else if (rest.length > 0 && count > 0 && matches(text(rest))) found.push(text(rest));
    return count === 0 ? [] : found.slice(-count);
  }

  more(): string[] {
    const grown = this.#read();
    const now = fs.statSync(this.#path, { throwIfNoEntry: false });
    const held = this.#fd === undefined ? undefined : fs.fstatSync(this.#fd);
    if (now !== undefined && held?.ino === now.ino && now.size >= this.#offset) return grown;
    if (now === undefined) return grown;
    // A new file, or the same one truncated. The old one may have grown before it was rotated.
    grown.push(...this.#read());
    this.close();
    this.#fd = open(this.#path);
    this.#offset = 0;
    return [...grown, ...this.#read()];
  }

  /** The unfinished line so far. */
  rest(): string[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? [] : [text(rest)];
  }

  /** The same, once it has not grown for a while; must be called at each look. */
  standing(): string[] {
    this.#looks = this.#rest.length === 0 ? 0 : this.#looks + 1;
    return this.#looks < STANDING_LOOKS ? [] : this.rest();
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #read(): string[] {
    if (this.#fd === undefined) return [];
    const block = Buffer.alloc(BLOCK);
    const lines: string[] = [];
    for (;;) {
      const length = fs.readSync(this.#fd, block, 0, BLOCK, this.#offset);
      if (length === 0) return lines;
      this.#offset += length;
      this.#looks = 0;
      const found = linesOf(Buffer.concat([this.#rest, block.subarray(0, length)]));
      lines.push(...found.whole);
      // A very long line is passed on in pieces.
      const tooLong = found.rest.length >= BLOCK;
      if (tooLong) lines.push(text(found.rest));
      this.#rest = tooLong ? Buffer.alloc(0) : found.rest;
    }
  }
}

const text = (bytes: Buffer) => bytes.toString("utf8");

function open(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function linesOf(bytes: Buffer): { whole: string[]; rest: Buffer } {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const whole = end === 0 ? [] : text(bytes.subarray(0, end - 1)).split("\n");
  return { whole, rest: bytes.subarray(end) };
}

/**
 * The end of the output, with at least so many lines: from the open file, and before that from the rotated ones, `path.1`,
 * `path.2`, and so on; a line may continue in the next file. `end`: where the open file ends.
 */
function tailOf(path: string, fd: number | undefined, lines: number): { bytes: Buffer; end: number } {
  const end = fd === undefined ? 0 : fs.fstatSync(fd).size;
  const blocks = fd === undefined || lines === 0 ? [] : lastBlocks(fd, end, lines);
  for (let number = 1; lines > 0 && blocks.reduce(sumOfLines, 0) <= lines; number++) {
    const older = open(`${path}.${number}`);
    if (older === undefined) break;
    blocks.unshift(...lastBlocks(older, fs.fstatSync(older).size, lines));
    fs.closeSync(older);
  }
  return { bytes: Buffer.concat(blocks), end };
}

const sumOfLines = (sum: number, block: Buffer) => sum + linesIn(block);

/** Blocks in order, back to the one in which the line before the oldest wanted one ends. */
function lastBlocks(fd: number, end: number, lines: number): Buffer[] {
  const blocks: Buffer[] = [];
  for (let start = end, found = 0; start > 0 && end - start < LONGEST_TAIL && found <= lines; ) {
    const block = Buffer.alloc(Math.min(BLOCK, start));
    start -= block.length;
    fs.readSync(fd, block, 0, block.length, start);
    found += linesIn(block);
    blocks.unshift(block);
  }
  return blocks;
}
