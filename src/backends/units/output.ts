import { understood } from "../../model/expression.ts";
import { Redactor } from "../../model/redact.ts";
import { type LogLine, pause } from "../log-lines.ts";
import type { Unit, UnitManager } from "./manager.ts";
import type { UnitRecord } from "./record.ts";

/** What a server under a service manager prints while somebody waits for it. */

/** Unix ms between which a run was. */
export interface RunTimes {
  readonly from: number;
  readonly to: number;
}

/** Between two looks at a journal for what a server printed last, ms. */
const JOURNAL_GAP = 10_000;
/** Longest that a journal is asked for that, ms. */
const JOURNAL_BOUND = 2000;
const KEPT_LINES = 10;

/** What a server prints from a moment on. */
export class Output {
  /** Of the newest run. `at`: unix ms at which it was read. */
  #lines: { readonly line: string; readonly at: number }[] = [];
  /** Of the run before that. */
  #earlier: string[] = [];
  #count = 0;
  /** Unix ms, before the first line of the newest run. */
  #runSince: number;
  /** What a journal said last of the newest line, and when it was asked. */
  #newest: { readonly line: string | undefined; readonly at: number; readonly asked: number } | undefined;
  /** Unix ms of the newest line of a journal that was counted. */
  #heardAt = 0;
  readonly #closing = new AbortController();
  readonly #redactor: Redactor;
  readonly #manager: UnitManager;
  readonly #unit: Unit;
  /** Unix ms at which it began, just before a start. */
  readonly since: number;
  /** By the manager. */
  readonly #isKept: boolean;
  #following: Promise<void> = Promise.resolve();
  /** The line that its log probe waits for, once that has come. */
  match: string | undefined;

  /** Follows at once what is in files; a journal is asked only where somebody waits for a line, and when it failed. */
  constructor(manager: UnitManager, unit: Unit, record: UnitRecord, since: number) {
    this.#manager = manager;
    this.#unit = unit;
    this.since = since;
    this.#runSince = since;
    this.#isKept = manager.logFiles(unit.spec, unit.file) === undefined;
    this.#redactor = new Redactor(record.secrets, record.spec.env);
    const { readiness } = record.spec;
    const pattern = readiness.type === "log" ? readiness.pattern : undefined;
    if (this.#isKept && pattern === undefined) return;
    const lines = manager.logs(unit, this.#request(true), this.#closing.signal);
    // The first step is made at once: the files are opened as they are now.
    this.#following = this.#follow(lines[Symbol.asyncIterator](), pattern).catch(() => {});
  }

  /** Whether the line that its log probe waits for is among all that it printed. */
  async matched(): Promise<boolean> {
    const until = Date.now() + LONGEST_FOLLOW;
    while (this.match === undefined && Date.now() < until && !this.#closing.signal.aborted)
      await pause(FOLLOW_GAP, this.#closing.signal);
    return this.match !== undefined;
  }

  /** Lines that were read up to now. */
  get count(): number {
    return this.#count;
  }

  /** Another run begins: what was printed before is that of the last one. `at`: unix ms. */
  beginRun(at: number): void {
    // What is in files is seen a moment after it was printed.
    const isBefore = (line: { readonly at: number }) => line.at < at + READ_GAP;
    this.#earlier = this.#lines.filter(isBefore).map(({ line }) => line);
    this.#lines = this.#lines.filter((line) => !isBefore(line));
    this.#runSince = at;
    this.#newest = undefined;
  }

  /** What it printed last; a journal is asked now and then only. */
  async lastLine(): Promise<string | undefined> {
    const line = this.#lines.at(-1)?.line;
    if (line !== undefined || !this.#isKept) return line;
    if (this.#newest === undefined || performance.now() - this.#newest.asked >= JOURNAL_GAP)
      await this.#askNewest();
    return this.#newest?.line;
  }

  /** Whether there is more in a journal than there was when it was asked last. Of what is in files it is known. */
  async hasMore(): Promise<boolean> {
    if (!this.#isKept) return false;
    const before = this.#heardAt;
    if ((this.#newest?.at ?? 0) <= before) await this.#askNewest();
    this.#heardAt = this.#newest?.at ?? 0;
    return this.#heardAt > before;
  }

  async #askNewest(): Promise<void> {
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), JOURNAL_BOUND);
    let found: LogLine | undefined;
    try {
      const request = { tail: 1, follow: false, since: this.#runSince };
      for await (const line of this.#manager.logs(this.#unit, request, bound.signal)) found = line;
    } catch {
      // Nothing is known of it then.
    } finally {
      clearTimeout(timer);
    }
    const line = found === undefined ? this.#newest?.line : this.#redactor.line(found.line);
    this.#newest = { line, at: found?.at ?? this.#newest?.at ?? 0, asked: performance.now() };
  }

  /** `run`: of that one, which another has followed; else of the newest. */
  async lastLines(run?: RunTimes): Promise<string[]> {
    if (!this.#isKept && run !== undefined) {
      this.close();
      return this.#earlier;
    }
    if (!this.#isKept) {
      // A busy machine comes to look at the files later than it means to.
      const until = Date.now() + LONGEST_FOLLOW;
      do await pause(FOLLOW_GAP, this.#closing.signal);
      while (this.#lines.length === 0 && Date.now() < until && !this.#closing.signal.aborted);
      // What comes after it is put back is not what it failed with.
      this.close();
      // That also brings a last line without its newline.
      await this.#following;
      return this.#lines.map(({ line }) => line);
    }
    const lines: string[] = [];
    try {
      const logs = this.#manager.logs(this.#unit, this.#request(false), this.#closing.signal);
      for await (const { line, at } of logs) {
        const isOf = run === undefined || at === undefined || (at >= run.from && at < run.to);
        if (isOf) lines.push(this.#redactor.line(line));
      }
    } catch {
      // What it said is a help, and no more.
    }
    return lines.slice(-KEPT_LINES);
  }

  close(): void {
    this.#closing.abort();
  }

  #request(follow: boolean) {
    return { tail: this.#isKept ? 1000 : 0, follow, since: this.since };
  }

  async #follow(lines: AsyncIterator<LogLine>, pattern: string | undefined): Promise<void> {
    const first = lines.next();
    const known = pattern === undefined ? undefined : await understood(pattern);
    const expression = known?.ok ? known.expression : undefined;
    for (let next = await first; !next.done; next = await lines.next()) {
      const { line } = next.value;
      if (this.match === undefined && expression?.test(line)) this.match = this.#redactor.evidence(line);
      this.#count++;
      this.#lines.push({ line: this.#redactor.line(line), at: Date.now() });
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    }
  }
}

/** Longer than those who follow files look away, ms. */
const FOLLOW_GAP = 400;
/** That, when nothing keeps them, ms. */
const READ_GAP = 150;
/** Longest wait for the last words of what may have had none, ms. */
const LONGEST_FOLLOW = 2000;
