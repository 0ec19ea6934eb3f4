import * as fs from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Mark, ProcessRow } from "../../model/family.ts";
import { isCode, writeAtomic } from "../../system/files.ts";
import { bootId } from "../../system/processes.ts";

/**
 * The descendants of one run that were seen, recorded in its run folder, so that they are still known as the server's
 * when the processes in between have exited. The server can write there too: anything but a plain file that xy wrote is
 * reported and skipped.
 */

/** How many are remembered at most. */
const MOST_SEEN = 256;
/** Longest file that is read, bytes. */
const LONGEST = 32 * 1024;
const FILE = "seen";

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;

const seenFile = z.object({
  version: z.literal(1),
  boot: z.string(),
  processes: z.array(z.object({ pid: z.int().min(2), start: z.string().max(64) })).max(MOST_SEEN),
});

export class Seen {
  readonly #dir: string;
  readonly #report: (message: string) => void;
  #marks: readonly Mark[] = [];
  #isTold = false;

  constructor(dir: string, report: (message: string) => void) {
    this.#dir = dir;
    this.#report = report;
    this.#marks = this.#read();
  }

  get marks(): readonly Mark[] {
    return this.#marks;
  }

  has({ pid, start }: Mark): boolean {
    return this.#marks.some((mark) => mark.pid === pid && mark.start === start);
  }

  /** Replaces what is remembered with all that live now. `number`: the session that they began in. */
  replace(rows: readonly ProcessRow[], number: number | undefined): void {
    // Nothing else would find those that left the session.
    const isIn = ({ session, group }: ProcessRow) => session === number || group === number;
    this.#set([...rows.filter((row) => !isIn(row)), ...rows.filter(isIn)]);
  }

  /** Forgets all but these. */
  keep(isMeant: (mark: Mark) => boolean): void {
    if (!this.#marks.every(isMeant)) this.#set(this.#marks.filter(isMeant));
  }

  /** Adds these. */
  add(marks: readonly Mark[]): void {
    const fresh = marks.filter((mark) => !this.has(mark));
    if (fresh.length > 0) this.#set([...fresh, ...this.#marks]);
  }

  #set(marks: readonly Mark[]): void {
    const next = marks.slice(0, MOST_SEEN).map(({ pid, start }) => ({ pid, start }));
    const isSame = next.length === this.#marks.length && next.every((mark) => this.has(mark));
    if (isSame) return;
    this.#marks = next;
    try {
      writeAtomic(join(this.#dir, FILE), JSON.stringify({ version: 1, boot: bootId(), processes: next }));
    } catch (error) {
      // A folder that is gone is reported elsewhere.
      if (!isCode(error, "ENOENT")) this.#tell(`cannot record its descendants: ${String(error)}`);
    }
  }

  #read(): readonly Mark[] {
    try {
      const text = readPlain(join(this.#dir, FILE));
      if (text === undefined) return [];
      const { boot, processes } = seenFile.parse(JSON.parse(text));
      return boot === bootId() ? processes : [];
    } catch {
      this.#tell(
        `cannot read ${join(this.#dir, FILE)}, which xy did not write like that: its daemons are not known any more`,
      );
      return [];
    }
  }

  #tell(message: string): void {
    if (!this.#isTold) this.#report(message);
    this.#isTold = true;
  }
}

/** Undefined: there is no file. Throws if it is not a plain file, or too long. */
function readPlain(path: string): string | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    const info = fs.fstatSync(fd);
    if (!info.isFile() || info.size > LONGEST) throw new Error("not a plain file, or too long");
    const buffer = Buffer.alloc(LONGEST);
    return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, LONGEST, 0));
  } finally {
    fs.closeSync(fd);
  }
}
