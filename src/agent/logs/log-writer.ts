import { LogFile, type LogKeepers, type LogLimits } from "./log-file.ts";
import { readLastOpen } from "./log-reader.ts";
import {
  encodeRecords,
  LineJoiner,
  type LogBlock,
  type LogLine,
  type LogRecord,
  type LogStream,
  linesOf,
  NEWLINE,
} from "./log-record.ts";

/** Receives output in order. Its buffer is overwritten by the next read. */
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
  readonly #file: LogFile;
  readonly #listeners = new Set<LogListener>();
  #joiner = new LineJoiner();
  #taken = 0;
  /** What an earlier agent left is known. */
  #isBegun = false;

  constructor(dir: string, limits: LogLimits, keepers: LogKeepers = {}) {
    this.#file = new LogFile(dir, limits, keepers);
  }

  get dir(): string {
    return this.#file.dir;
  }

  get currentPath(): string {
    return this.#file.currentPath;
  }

  /** What cannot be done with its files now, a clause each. */
  get faults(): readonly string[] {
    return this.#file.faults;
  }

  /** What could not be written since this agent began (on a full disk, say), a clause. */
  get lostText(): string | undefined {
    return this.#file.lostText;
  }

  /** Bytes of output that this agent has been given. */
  get taken(): number {
    return this.#taken;
  }

  setLimits(limits: LogLimits): void {
    this.#file.setLimits(limits);
  }

  /** Continues the file that an earlier agent left, even in the middle of a line. */
  open(): void {
    const isOpened = this.#file.open();
    if (this.#isBegun) return;
    this.#isBegun = true;
    if (isOpened) for (const record of lastOpenOf(this.currentPath)) this.#joiner.take(record);
  }

  write(stream: LogStream, chunk: Buffer, now: number): void {
    this.open();
    this.#taken += chunk.length;
    this.#file.append(encodeRecords(stream, chunk, new Date(now).toISOString()), now);
    this.#handOn(stream, chunk, now);
  }

  /** Ends lines that lack a newline: their writer is gone. */
  endLines(now: number): void {
    for (const stream of ["out", "err"] as const) {
      if (this.#joiner.isOpen(stream)) this.write(stream, Buffer.from("\n"), now);
    }
  }

  /** Calls back for each line. Returns how to undo that. */
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
    this.#file.close();
    this.#joiner = new LineJoiner();
    this.#isBegun = false;
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
}

const EMPTY = Buffer.alloc(0);

/** Without it one line would be reported as two. */
function lastOpenOf(path: string): LogRecord[] {
  try {
    return readLastOpen(path);
  } catch {
    return [];
  }
}
