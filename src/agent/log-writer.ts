import * as fs from "node:fs";
import { join } from "node:path";
import { ensurePrivateDir } from "../system/paths.ts";
import { readLastOpen } from "./log-reader.ts";
import {
  encodeRecords,
  LineJoiner,
  type LogBlock,
  type LogLine,
  type LogStream,
  linesOf,
  NEWLINE,
} from "./log-record.ts";

export interface LogLimits {
  /** Bytes after which a new file is begun. */
  readonly maxSize: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
}

/** Told of output, in its order. What it is given is overwritten by the next read. */
export interface LogListener {
  /** A line that more than one read brought, or a piece of a long one. */
  line(line: LogLine): void;
  block(block: LogBlock): void;
}

/**
 * Writes the log of one server. Every read of the server's pipes is written before the next one is made, so that the
 * death of the agent costs one read at most. Lines are handed on to listeners as soon as they are whole.
 */
export class LogWriter {
  readonly dir: string;
  readonly #listeners = new Set<LogListener>();
  #limits: LogLimits;
  #fd: number | undefined;
  #size = 0;
  #joiner = new LineJoiner();
  #lost = 0;
  #taken = 0;

  constructor(dir: string, limits: LogLimits) {
    this.dir = dir;
    this.#limits = limits;
  }

  get currentPath(): string {
    return join(this.dir, "current.log");
  }

  /** Bytes of output that could not be written (a full disk), since this agent began. */
  get lostBytes(): number {
    return this.#lost;
  }

  /** Bytes of output that this agent has been given. */
  get taken(): number {
    return this.#taken;
  }

  setLimits(limits: LogLimits): void {
    this.#limits = limits;
  }

  /** Goes on in the file that an earlier agent left, also in the middle of a line. */
  open(): void {
    if (this.#fd !== undefined) return;
    ensurePrivateDir(this.dir);
    this.#fd = fs.openSync(this.currentPath, "a", 0o600);
    this.#size = fs.fstatSync(this.#fd).size;
    this.#mendTail();
    for (const record of readLastOpen(this.currentPath)) this.#joiner.take(record);
  }

  /** A power cut can leave a record without its newline: what follows must not be glued to it. */
  #mendTail(): void {
    if (this.#size === 0 || this.#fd === undefined) return;
    const last = Buffer.alloc(1);
    const reader = fs.openSync(this.currentPath, "r");
    fs.readSync(reader, last, 0, 1, this.#size - 1);
    fs.closeSync(reader);
    if (last[0] !== NEWLINE) this.#append("\n");
  }

  write(stream: LogStream, chunk: Buffer, now: number): void {
    this.open();
    this.#taken += chunk.length;
    const time = new Date(now).toISOString();
    this.#append(encodeRecords(stream, chunk, time));
    this.#handOn(stream, chunk, now);
    if (this.#size >= this.#limits.maxSize) this.#rotate();
  }

  /** Ends lines that lack a newline: their writer is gone. */
  endLines(now: number): void {
    for (const stream of ["out", "err"] as const) {
      if (this.#joiner.isOpen(stream)) this.write(stream, Buffer.from("\n"), now);
    }
  }

  /** Calls back for each line, until that is taken back. */
  onLine(listener: (line: LogLine) => void): () => void {
    let isOver = false;
    const block = (many: LogBlock) => {
      for (const line of linesOf(many)) if (!isOver) listener(line);
    };
    const stop = this.onOutput({ line: listener, block });
    return () => {
      isOver = true;
      stop();
    };
  }

  /** As {@link onLine}, for who can do with many lines at once. Returns how to take that back. */
  onOutput(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    this.#joiner = new LineJoiner();
  }

  /** One character a byte. */
  #append(data: string): void {
    try {
      for (let rest = data; rest.length > 0; )
        rest = rest.slice(fs.writeSync(this.#fd as number, rest, null, "latin1"));
      this.#size += data.length;
    } catch {
      // A full disk must harm neither the agent nor the server, whose pipe goes on being read.
      this.#lost += data.length;
    }
  }

  #handOn(stream: LogStream, chunk: Buffer, at: number): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    let start = 0;
    if (end > 0 && this.#joiner.isOpen(stream)) {
      start = chunk.indexOf(NEWLINE) + 1;
      // Without anybody to tell, it matters alone that the line is over.
      const bytes = this.#listeners.size === 0 ? EMPTY : chunk.subarray(0, start - 1);
      this.#tell(this.#joiner.take({ at, stream, open: false, bytes }));
    }
    if (start < end) {
      const block: LogBlock = { at, stream, bytes: chunk.subarray(start, end) };
      for (const listener of this.#listeners) listener.block(block);
    }
    if (end < chunk.length)
      this.#tell(this.#joiner.take({ at, stream, open: true, bytes: chunk.subarray(end) }));
  }

  #tell(lines: readonly LogLine[]): void {
    for (const line of lines) for (const listener of this.#listeners) listener.line(line);
  }

  #rotate(): void {
    const path = (n: number) => (n === 0 ? this.currentPath : join(this.dir, `${n}.log`));
    try {
      const { keep } = this.#limits;
      for (let n = keep + 1; fs.existsSync(path(n)); n++) fs.rmSync(path(n));
      if (keep === 0) fs.rmSync(path(0));
      for (let n = keep - 1; n >= 0; n--) if (fs.existsSync(path(n))) fs.renameSync(path(n), path(n + 1));
      const fresh = fs.openSync(this.currentPath, "a", 0o600);
      fs.closeSync(this.#fd as number);
      this.#fd = fresh;
      this.#size = 0;
    } catch {
      // Without room for a new file the old one is written on.
    }
  }
}

const EMPTY = Buffer.alloc(0);
