import * as fs from "node:fs";
import { dirname } from "node:path";
import { canonicalHash } from "../../model/canonical.ts";
import { type Job, type JobSpec, job } from "../../model/job.ts";
import type { ProcessId } from "../../model/process.ts";
import { makeWayForPlainFile, setAside, writeAtomic } from "../../system/files.ts";
import { ensurePrivateDir } from "../../system/paths.ts";
import { linesBackwards } from "../logs/log-reader.ts";
import {
  endOfLastLine,
  linesWith,
  openIfThere,
  readIfThere,
  SPEC_HEAD,
  specIn,
  specLines,
  writeWhole,
} from "./journal-lines.ts";

/**
 * The jobs of one owner, such as a server or an action that stands alone, as a file that is only appended to. Each line is a JSON
 * document whose first key says what it is:
 *
 *   {"spec":"<hash>","is":{…}}             what ran, once for all the jobs that ran it
 *   {"id":7,"of":"<hash>","created_at":…}  a job as it was created
 *   {"id":7,"phase":"running",…}           what became of it: later lines win
 *   {"id":7,"deleted":true}
 *
 * Creations stand in the order of their ids, so read backwards the newest jobs come first, and the end of the file is
 * enough for them, however much there is. A line is one write: the death of the agent tears none. A power cut may: what
 * is left of a last line is cut off, and what cannot be read in between is passed over, both with a report.
 */

/** Jobs that are over, kept of each action, and of all that were typed. More may be there until the file is rewritten. */
export const KEPT = 1000;
/** Bytes at which the file is rewritten for the first time. */
const COMPACT_AT = 1024 * 1024;

const OPENING_BRACE = "{".charCodeAt(0);

/** Kept of a job beside what others see. */
interface OwnFacts {
  /** Hash of what ran. */
  readonly of: string;
  /** Boot in which it was created. */
  readonly boot: string;
  /** What identifies its process, while it runs. */
  readonly process?: ProcessId | null;
  /** The run of the server that it is; only of a server's own program. */
  readonly inc?: number;
  /** It is being stopped: the phase it ends in, and why. */
  readonly ending?: Ending | null;
  /** Unix ms at which its next attempt is due, while that is waited for. */
  readonly next_at?: number | null;
}
export interface Ending {
  readonly phase: "cancelled" | "failed";
  readonly error: string;
}
export type JobEntry = Job & OwnFacts;

/** What became of a job. */
export type JobPatch = Partial<Omit<JobEntry, "id" | "created_at">>;

type Line = { readonly id: number; readonly deleted?: true } & Partial<JobEntry>;

export class Journal {
  readonly path: string;
  readonly #report: (message: string) => void;
  readonly #isOurs: (job: Job) => boolean;
  #size: number | undefined;
  #compactAt = COMPACT_AT;
  /** Hashes of specs that are known to be in the file. */
  readonly #specs = new Set<string>();
  #toldGarbage = false;

  /** `isOurs`: whether a job belongs here; a record that somebody put here is not believed. */
  constructor(path: string, isOurs: (job: Job) => boolean, report: (message: string) => void) {
    this.path = path;
    this.#isOurs = isOurs;
    this.#report = report;
  }

  /** Throws, with nothing changed, when it cannot be written. */
  create(entry: Omit<JobEntry, "of">, spec: JobSpec): JobEntry {
    this.#mend();
    const of = canonicalHash(spec);
    const { id, ...rest } = entry;
    const lines = [{ id, of, ...rest }];
    this.#append(this.#specs.has(of) ? lines : [{ spec: of, is: spec }, ...lines]);
    this.#specs.add(of);
    return { ...entry, of };
  }

  update(id: number, patch: JobPatch): void {
    this.#append([{ id, ...patch }]);
  }

  delete(id: number): void {
    this.#append([{ id, deleted: true }]);
  }

  /** Newest first. */
  *entries(): Generator<JobEntry, void, void> {
    this.#mend();
    const fd = openIfThere(this.path);
    if (fd === undefined) return;
    const later = new Map<number, Line>();
    try {
      for (const bytes of linesBackwards(fd, fs.fstatSync(fd).size)) {
        const line = this.#lineOf(bytes);
        if (line === undefined) continue;
        const merged: Line = { ...line, ...later.get(line.id) };
        if (line.created_at === undefined) later.set(line.id, merged);
        else {
          later.delete(line.id);
          const entry = merged.deleted ? undefined : this.#entryOf(merged);
          if (entry) yield entry;
        }
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Without looking at the rest of the file. */
  find(id: number): { entry: JobEntry; spec: JobSpec | null } | undefined {
    this.#mend();
    const bytes = readIfThere(this.path);
    if (bytes === undefined) return undefined;
    const lines = linesWith(bytes, `{"id":${id},`).flatMap((line) => this.#lineOf(line) ?? []);
    if (lines.length === 0) return undefined;
    const merged: Line = Object.assign({}, ...lines);
    const entry = merged.deleted ? undefined : this.#entryOf(merged);
    return entry && { entry, spec: specIn(bytes, entry.of) };
  }

  /** Rewrites the file without some of the jobs. Returns their ids. */
  rewrite(isKept: (entry: JobEntry) => boolean): number[] {
    const all = [...this.entries()].reverse();
    const kept = all.filter(isKept);
    const bytes = readIfThere(this.path);
    if (bytes === undefined) return [];
    if (this.#toldGarbage) this.#setAsideCopy(bytes);
    const specs = specLines(bytes, new Set(kept.map(({ of }) => of)));
    const lines = kept.map((line) => Buffer.from(`${JSON.stringify(line)}\n`));
    const whole = Buffer.concat([...specs.values(), ...lines]);
    writeAtomic(this.path, whole);
    this.#size = whole.length;
    this.#compactAt = Math.max(COMPACT_AT, 2 * this.#size);
    this.#specs.clear();
    for (const of of specs.keys()) this.#specs.add(of);
    this.#toldGarbage = false;
    const ids = new Set(kept.map(({ id }) => id));
    return all.flatMap(({ id }) => (ids.has(id) ? [] : [id]));
  }

  /** When the file has grown: drops what is old and not open. Returns the ids of what was dropped. */
  compact(isOpen: (id: number) => boolean): number[] {
    if ((this.#size ?? 0) < this.#compactAt) return [];
    const counts = new Map<string, number>();
    const tooMany = new Set<number>();
    for (const entry of this.entries()) {
      if (isOpen(entry.id)) continue;
      const of = entry.inline ? "" : entry.action_id;
      const count = (counts.get(of) ?? 0) + 1;
      counts.set(of, count);
      if (count > KEPT) tooMany.add(entry.id);
    }
    return this.rewrite(({ id }) => !tooMany.has(id));
  }

  #append(lines: readonly object[]): void {
    this.#mend();
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const bytes = Buffer.from(text);
    const before = this.#size ?? 0;
    ensurePrivateDir(dirname(this.path));
    const fd = fs.openSync(this.path, "a", 0o600);
    try {
      writeWhole(fd, bytes);
      this.#size = before + bytes.length;
    } catch (error) {
      fs.ftruncateSync(fd, before);
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Sets aside what is no file. A file that is not as this agent left it gets its incomplete last line cut off. */
  #mend(): void {
    if (makeWayForPlainFile(this.path)) this.#report(`${this.path} was not a file, and is set aside`);
    const fd = openIfThere(this.path, "r+");
    try {
      const size = fd === undefined ? 0 : fs.fstatSync(fd).size;
      const whole = fd === undefined ? 0 : endOfLastLine(fd, size);
      if (size === this.#size && whole === size) return;
      this.#specs.clear();
      this.#size = whole;
      if (fd === undefined || whole === size) return;
      fs.ftruncateSync(fd, whole);
      this.#report(`${this.path}: its last line was incomplete; removed its ${size - whole} bytes`);
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  /** Undefined for the line of a spec, too. */
  #lineOf(bytes: Buffer): Line | undefined {
    // It is not decoded, and may be long.
    if (bytes.toString("latin1", 0, SPEC_HEAD.length) === SPEC_HEAD) return undefined;
    try {
      // To have the parser throw takes far longer than a look, and of garbage there may be very many lines.
      if (bytes[0] === OPENING_BRACE) {
        const line = JSON.parse(bytes.toString("utf8")) as Line;
        if (Number.isSafeInteger(line.id)) return line;
      }
    } catch {
      // Told below.
    }
    this.#tellGarbage();
    return undefined;
  }

  #entryOf(line: Line): JobEntry | undefined {
    const parsed = job.safeParse(line);
    if (parsed.success && typeof line.of === "string" && this.#isOurs(parsed.data))
      return { ...(line as JobEntry), ...parsed.data };
    this.#tellGarbage();
    return undefined;
  }

  #tellGarbage(): void {
    if (this.#toldGarbage) return;
    this.#toldGarbage = true;
    this.#report(`${this.path}: some of its lines cannot be read, and are skipped`);
  }

  /** What could not be read is kept for people who want to look. */
  #setAsideCopy(bytes: Buffer): void {
    const copy = `${this.path}.unread`;
    writeAtomic(copy, bytes);
    setAside(copy, Date.now());
  }
}
