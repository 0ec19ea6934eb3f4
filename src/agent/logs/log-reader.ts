import * as fs from "node:fs";
import { join } from "node:path";
import { isCode, isFolder } from "../../system/files.ts";
import {
  decodeRecord,
  LineJoiner,
  type LogLine,
  type LogRecord,
  type LogStream,
  lostIn,
  NEWLINE,
} from "./log-record.ts";

export interface LogQuery {
  /** Last lines wanted. */
  readonly tail: number;
  /** Unix ms: lines that ended before are left out. */
  readonly since?: number | undefined;
  /** Unix ms: later lines are left out. */
  readonly until?: number | undefined;
  readonly stream?: LogStream | undefined;
  /** Also a last line that lacks its newline. */
  readonly unfinished?: boolean;
}

const { O_RDONLY, O_NONBLOCK } = fs.constants;

const BLOCK = 64 * 1024;
/** Open records looked through for the beginnings of the oldest lines. */
const MOST_PIECES = 256;

/**
 * A view of the log files as they were when it was opened: what is written or rotated later does not show.
 * Close it after use.
 */
export class LogSnapshot {
  /** Newest first. */
  readonly #files: { readonly fd: number; readonly size: number }[] = [];

  constructor(dir: string) {
    for (const name of ["current.log", ...rotatedFiles(dir)]) {
      try {
        // A fifo in its place would keep its reader waiting.
        const fd = fs.openSync(join(dir, name), O_RDONLY | O_NONBLOCK);
        const info = fs.fstatSync(fd);
        if (info.isFile()) this.#files.push({ fd, size: info.size });
        else fs.closeSync(fd);
      } catch (error) {
        if (!isCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO")) throw error;
      }
    }
  }

  close(): void {
    for (const { fd } of this.#files) fs.closeSync(fd);
    this.#files.length = 0;
  }

  /** The last lines that fit the query, oldest first. Memory is bounded by what is asked for. */
  lastLines(query: LogQuery): LogLine[] {
    if (query.tail === 0) return [];
    const joiner = new LineJoiner();
    const joined = this.#lastRecords(query).flatMap((record) => joiner.take(record));
    const all = query.unfinished ? [...joined, ...joiner.unfinished()] : joined;
    return all.slice(-query.tail);
  }

  get fileCount(): number {
    return this.#files.length;
  }

  /**
   * The lines that end in one of the files, oldest first; 0 is the newest file. Pieces of a line that began in the file
   * before it, and are of that file, come as `isBefore`.
   */
  *linesIn(number: number, unfinished = false): Iterable<LogLine & { readonly isBefore?: true }> {
    const [file, older] = this.#files.slice(number, number + 2);
    if (file === undefined) return;
    const joiner = new LineJoiner();
    for (const record of older ? lastOpen(older.fd, older.size) : [])
      for (const line of joiner.take(record)) yield { ...line, isBefore: true };
    for (const bytes of linesForwards(file.fd, file.size)) {
      const record = decodeRecord(bytes);
      if (record) yield* joiner.take(record);
    }
    if (unfinished) yield* joiner.unfinished();
  }

  /** Going backwards, a closed record ends one more line, and the open ones of its stream before it belong to it. */
  #lastRecords(query: LogQuery): LogRecord[] {
    const records: LogRecord[] = [];
    const begun = new Set<LogStream>();
    const whole = new Set<LogStream>();
    let lines = 0;
    for (const record of this.#backwards()) {
      if (typeof record === "number") {
        const next = records.pop();
        if (next) records.push({ ...next, missed: record + (next.missed ?? 0) });
        continue;
      }
      if (query.until !== undefined && record.at > query.until) continue;
      if (query.stream !== undefined && record.stream !== query.stream) continue;
      const isEnough = lines === query.tail || (query.since !== undefined && record.at < query.since);
      if (isEnough && !record.open) whole.add(record.stream);
      if (isEnough && [...begun].every((stream) => whole.has(stream))) break;
      if (isEnough && !begun.has(record.stream)) continue;
      if (whole.has(record.stream)) continue;
      if (records.length > lines + MOST_PIECES) break;
      if (!record.open) lines++;
      begun.add(record.stream);
      records.push(record);
    }
    return records.reverse();
  }

  /** A number stands where so many lines are missing. */
  *#backwards(): Iterable<LogRecord | number> {
    for (const { fd, size } of this.#files) {
      for (const line of linesBackwards(fd, size)) {
        const record = decodeRecord(line) ?? lostIn(line);
        if (record !== undefined) yield record;
      }
    }
  }
}

/** Newest first. An agent that died while it rotated may have left a gap in their numbers. */
function rotatedFiles(dir: string): string[] {
  if (!isFolder(dir)) return [];
  const numbers = fs.readdirSync(dir).flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []);
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .map((n) => `${n}.log`);
}

/**
 * The lines of a file from its end, each without its newline; a last line without one is left out. Each byte is searched
 * and copied once, also of a line that fills the file.
 */
export function* linesBackwards(fd: number, size: number): Iterable<Buffer> {
  /** Of the line that is not whole yet, the last part first; undefined before the last newline. */
  let parts: Buffer[] | undefined;
  for (let position = size; position > 0; ) {
    const block = Buffer.alloc(Math.min(BLOCK, position));
    position -= block.length;
    fs.readSync(fd, block, 0, block.length, position);
    let end = block.length;
    for (let cut = lastNewline(block, end); cut !== -1; cut = lastNewline(block, end)) {
      if (parts) yield Buffer.concat([block.subarray(cut + 1, end), ...parts.reverse()]);
      parts = [];
      end = cut;
    }
    parts?.push(block.subarray(0, end));
  }
  if (parts?.some((part) => part.length > 0)) yield Buffer.concat(parts.reverse());
}

const lastNewline = (block: Buffer, end: number) => (end === 0 ? -1 : block.lastIndexOf(NEWLINE, end - 1));

/** For each stream whose last record is open: the records of that unfinished line, oldest first. */
export function readLastOpen(path: string): LogRecord[] {
  const fd = fs.openSync(path, "r");
  try {
    return lastOpen(fd, fs.fstatSync(fd).size);
  } finally {
    fs.closeSync(fd);
  }
}

function lastOpen(fd: number, size: number): LogRecord[] {
  const seen = new Map<LogStream, boolean>();
  const open: LogRecord[] = [];
  for (const line of linesBackwards(fd, size)) {
    const record = decodeRecord(line);
    if (!record) continue;
    if (!record.open) seen.set(record.stream, true);
    else if (!seen.has(record.stream)) open.push(record);
    if (seen.size === 2 || open.length > 64) break;
  }
  return open.reverse();
}

/** The lines of a file from its beginning, each without its newline; a last line without one is left out. */
function* linesForwards(fd: number, size: number): Iterable<Buffer> {
  let parts: Buffer[] = [];
  for (let position = 0; position < size; ) {
    const block = Buffer.alloc(Math.min(BLOCK, size - position));
    const length = fs.readSync(fd, block, 0, block.length, position);
    if (length === 0) return;
    position += length;
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end !== -1 && end < length; end = block.indexOf(NEWLINE, start)) {
      const last = block.subarray(start, end);
      yield parts.length === 0 ? last : Buffer.concat([...parts, last]);
      [parts, start] = [[], end + 1];
    }
    if (start < length) parts.push(block.subarray(start, length));
  }
}
