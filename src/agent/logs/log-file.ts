import * as fs from "node:fs";
import { join } from "node:path";
import { linesIn } from "../../model/text.ts";
import { isFolder, isTaken, leadsTo } from "../../system/files.ts";
import { ensurePrivateDir } from "../../system/paths.ts";
import { causeText } from "../../system/shortage.ts";
import type { Unwritten } from "../records/unwritten.ts";
import { lostRecord, NEWLINE } from "./log-record.ts";

export interface LogLimits {
  /** Bytes after which a new file is begun. */
  readonly maxSize: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
}

/** Who is told when a log cannot be written. */
export interface LogKeepers {
  readonly report?: (message: string) => void;
  readonly unwritten?: Unwritten;
}

/** Between two looks at whether the file is still where it belongs, ms. What was written in between is written again. */
const LOOK_GAP = 250;
/** Between two attempts to rotate, ms. */
const ROTATE_GAP = 1000;
/** Most that is taken over from a file that somebody removed, bytes: it was written since the last look. */
const MOST_SAVED = 4 * 1024 * 1024;

const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK } = fs.constants;

/**
 * The file of a log, and those that it was rotated to. A server must never wait for it: nothing here throws, and what
 * cannot be written is counted and reported. Somebody may remove, move or replace what is here at any moment.
 */
export class LogFile {
  readonly dir: string;
  readonly #report: (message: string) => void;
  readonly #unwritten: Unwritten | undefined;
  #limits: LogLimits;
  #fd: number | undefined;
  #size = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Its size at the last look. */
  #safe = 0;
  #rotatedAt = Number.NEGATIVE_INFINITY;
  /** Of a record that could not be written whole, a part is at its end. */
  #isTorn = false;
  /** Why it cannot be written, or rotated, now. */
  #fault: string | undefined;
  #rotateFault: string | undefined;
  /** Lines that are in no file, and why the newest of them are not. */
  #lost = { lines: 0, because: "" };
  /** Those of them that the log itself does not tell of. */
  #untold = 0;

  constructor(dir: string, limits: LogLimits, { report = () => {}, unwritten }: LogKeepers = {}) {
    this.dir = dir;
    this.#limits = limits;
    this.#report = report;
    this.#unwritten = unwritten;
  }

  get currentPath(): string {
    return join(this.dir, "current.log");
  }

  /** What cannot be done now, a clause each. */
  get faults(): string[] {
    return [
      ...(this.#fault === undefined ? [] : [`its log cannot be written: ${this.#fault}`]),
      ...(this.#rotateFault === undefined ? [] : [`its log cannot be rotated: ${this.#rotateFault}`]),
    ];
  }

  /** Lines that were lost since this agent began, a clause. */
  get lostText(): string | undefined {
    const { lines, because } = this.#lost;
    if (lines === 0) return undefined;
    return `${lines} ${lines === 1 ? "line" : "lines"} of its output could not be written to its log: ${because}`;
  }

  setLimits(limits: LogLimits): void {
    this.#limits = limits;
  }

  /** True: it was closed, and is open now. */
  open(): boolean {
    if (this.#fd !== undefined) return false;
    const fault = this.#opened();
    this.#isFaulty(fault);
    return fault === undefined;
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** Writes whole records, one character a byte, that were read at unix ms `now`. */
  append(records: string, now: number): void {
    this.#look(now);
    const written = this.#fd !== undefined && this.#write(`${this.#mark(now)}${records}`);
    if (written) this.#untold = 0;
    else this.#lose(linesIn(Buffer.from(records, "latin1")));
    if (this.#size >= this.#limits.maxSize && Math.abs(now - this.#rotatedAt) >= ROTATE_GAP)
      this.#rotate(now);
  }

  /** Says in the log how many lines are missing there. A reader of an earlier version skips that. */
  #mark(now: number): string {
    if (this.#untold === 0) return "";
    return lostRecord(new Date(now).toISOString(), this.#untold, this.#lost.because);
  }

  #lose(lines: number): void {
    this.#lost = { lines: this.#lost.lines + lines, because: this.#fault ?? "" };
    this.#untold += lines;
    this.#unwritten?.owe(this, () => this.#isBack());
  }

  /** There may be room again, and the server print nothing that would show it. */
  #isBack(): boolean {
    const isClosed = this.#fd === undefined;
    if (isClosed) this.open();
    const isWritten = this.#fd !== undefined && this.#write(this.#mark(Date.now()));
    if (isWritten) this.#untold = 0;
    if (isClosed) this.close();
    return isWritten;
  }

  /** False, and why stands in `#fault`: nothing of it is in the file. */
  #write(records: string): boolean {
    const fd = this.#fd as number;
    const data = this.#isTorn ? `\n${records}` : records;
    try {
      for (let rest = data; rest.length > 0; ) rest = rest.slice(fs.writeSync(fd, rest, null, "latin1"));
      this.#isTorn = false;
      this.#size += data.length;
      this.#isFaulty(undefined);
      return true;
    } catch (error) {
      this.#cutBack(fd);
      this.#isFaulty(causeText(error));
      return false;
    }
  }

  /** A part of a record would stand before the next one. */
  #cutBack(fd: number): void {
    try {
      fs.ftruncateSync(fd, this.#size);
    } catch {
      this.#isTorn = true;
    }
  }

  #isFaulty(fault: string | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    if (fault !== undefined) this.#report(`its log cannot be written: ${fault}`);
    else
      this.#report(`its log is written again${this.#untold > 0 ? `; ${this.#untold} lines are lost` : ""}`);
  }

  // --- where it is ----------------------------------------------------------------------------------------------

  /** Undefined: it is open. Otherwise why not. */
  #opened(): string | undefined {
    const other = this.#inTheWay();
    if (other !== undefined) return other;
    try {
      ensurePrivateDir(this.dir);
      // A fifo in its place would keep the agent waiting.
      const fd = fs.openSync(this.currentPath, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
      const info = fs.fstatSync(fd);
      if (!info.isFile()) {
        fs.closeSync(fd);
        return `${this.currentPath} is no plain file; move it away`;
      }
      this.#fd = fd;
      this.#size = info.size;
      this.#safe = info.size;
      this.#isTorn = this.#isCutOff(fd);
      return undefined;
    } catch (error) {
      return causeText(error);
    }
  }

  /** What somebody else has put here is not ours to move. */
  #inTheWay(): string | undefined {
    if (isTaken(this.dir) && !isFolder(this.dir)) return `${this.dir} is no folder; move it away`;
    const here = leadsTo(this.currentPath);
    if (here?.isDirectory()) return `${this.currentPath} is a folder (EISDIR); move it away`;
    const isLost = here === undefined && isTaken(this.currentPath);
    return isLost ? `${this.currentPath} is a link that leads nowhere; remove it` : undefined;
  }

  /** A power cut can leave a record without its newline: what follows must not be glued to it. */
  #isCutOff(fd: number): boolean {
    const last = Buffer.alloc(1);
    return this.#size > 0 && fs.readSync(fd, last, 0, 1, this.#size - 1) === 1 && last[0] !== NEWLINE;
  }

  #look(now: number): void {
    if (Math.abs(now - this.#lookedAt) < LOOK_GAP) return;
    this.#lookedAt = now;
    if (this.#fd === undefined) return;
    if (this.#isInPlace(this.#fd)) this.#safe = this.#size;
    else this.#makeAgain(this.#fd);
  }

  #isInPlace(fd: number): boolean {
    try {
      const [here, ours] = [fs.statSync(this.currentPath), fs.fstatSync(fd)];
      return here.ino === ours.ino && here.dev === ours.dev;
    } catch {
      return false;
    }
  }

  /** What was written since the last look went to a file that is no longer there. */
  #makeAgain(gone: number): void {
    const saved = this.#since(this.#safe, gone);
    fs.closeSync(gone);
    this.#fd = undefined;
    this.#report("its log was removed or replaced by somebody else: creating it again");
    const isMade = this.open() && (saved.length === 0 || this.#write(saved.toString("latin1")));
    if (!isMade) this.#lose(linesIn(saved));
  }

  #since(from: number, fd: number): Buffer {
    const length = Math.max(0, Math.min(this.#size - from, MOST_SAVED));
    const saved = Buffer.alloc(length);
    try {
      return saved.subarray(0, length === 0 ? 0 : fs.readSync(fd, saved, 0, length, this.#size - length));
    } catch {
      return saved.subarray(0, 0);
    }
  }

  #rotate(now: number): void {
    if (this.#fd === undefined) return;
    this.#rotatedAt = now;
    const path = (n: number) => (n === 0 ? this.currentPath : join(this.dir, `${n}.log`));
    try {
      const { keep } = this.#limits;
      for (let n = keep + 1; fs.existsSync(path(n)); n++) fs.rmSync(path(n));
      if (keep === 0) fs.rmSync(path(0));
      for (let n = keep - 1; n >= 0; n--) if (fs.existsSync(path(n))) fs.renameSync(path(n), path(n + 1));
      fs.closeSync(this.#fd);
      this.#fd = undefined;
      this.open();
      this.#rotatedAt = Number.NEGATIVE_INFINITY;
      if (this.#rotateFault !== undefined) this.#report("its log is rotated again");
      this.#rotateFault = undefined;
    } catch (error) {
      // The old one is written on.
      const fault = causeText(error);
      if (fault !== this.#rotateFault) this.#report(`its log cannot be rotated: ${fault}`);
      this.#rotateFault = fault;
    }
  }
}
