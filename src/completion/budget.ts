import * as fs from "node:fs";
import { dirname } from "node:path";

/** Files that one answer may read, and how long it may look, ms: somebody waits with a finger on the Tab key. */
const MOST_FILES = 1000;
const LONGEST = 300;

/**
 * Reads what may be damaged, or nothing of xy at all. What cannot be read is not there: nothing is written, set aside or
 * complained about.
 */
export class Budget {
  #files = MOST_FILES;
  readonly #end = performance.now() + LONGEST;

  get isSpent(): boolean {
    return this.#files <= 0 || performance.now() > this.#end;
  }

  /** The first bytes of a file, or with `end` the last ones. Undefined where there is none, or it is not read any more. */
  text(path: string, most: number, end = false): string | undefined {
    if (this.isSpent) return undefined;
    this.#files--;
    let fd: number | undefined;
    try {
      // Does not wait at a fifo.
      fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const info = fs.fstatSync(fd);
      if (!info.isFile()) return undefined;
      const bytes = Buffer.alloc(Math.min(info.size, most));
      const read = fs.readSync(fd, bytes, 0, bytes.length, end ? info.size - bytes.length : 0);
      return bytes.toString("utf8", 0, read);
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  /** A whole file of JSON; undefined also if it is longer than that. */
  json(path: string, most: number): unknown {
    try {
      return JSON.parse(this.text(path, most) ?? "");
    } catch {
      return undefined;
    }
  }

  names(folder: string): string[] {
    if (this.isSpent) return [];
    this.#files--;
    try {
      return fs.readdirSync(folder);
    } catch {
      return [];
    }
  }

  /** Unix ms; 0 for what is not there. */
  changedAt(path: string): number {
    if (this.isSpent) return 0;
    this.#files--;
    return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}

/** A path where links lead; the path itself where they lead nowhere. */
export function real(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}

export const above = (folder: string) => (dirname(folder) === folder ? undefined : dirname(folder));
