import { understood } from "../../model/expression.ts";
import { Redactor } from "../../model/redact.ts";
import { type LogLine, pause } from "../log-lines.ts";
import type { Unit, UnitManager } from "./manager.ts";
import type { UnitRecord } from "./record.ts";

/** The output of a server under a service manager during a wait for it. */

/** When a run began and ended, unix ms. */
export interface RunTimes {
  readonly from: number;
  readonly to: number;
}

/** Pause between two reads of a journal for a server's last line, ms. */
const JOURNAL_GAP = 10_000;
/** Longest duration of such a read, ms. */
const JOURNAL_BOUND = 2000;
const KEPT_LINES = 10;

/** A server's output from a moment on. */
export class Output {
  /** Of the newest run. `at`: unix ms at which it was read. */
  #lines: { readonly line: string; readonly at: number }[] = [];
  /** Of the run before that. */
  #earlier: string[] = [];
  #count = 0;
  /** Unix ms, before the first line of the newest run. */
  #runSince: number;
  /** The journal's newest line when it was last read, and when that was. */
  #newest: { readonly line: string | undefined; readonly at: number; readonly asked: number } | undefined;
  /** Unix ms of the newest line of a journal that was counted. */
  #heardAt = 0;
  readonly #closing = new AbortController();
  readonly #redactor: Redactor;
  readonly #manager: UnitManager;
  readonly #unit: Unit;
  /** Unix ms at which it began, just before a start. */
  readonly since: number;
  /** Whether the manager stores the output. */
  readonly #isKept: boolean;
  #following: Promise<void> = Promise.resolve();
  /** The line that its log probe waits for, once it was printed. */
  match: string | undefined;

  /** Follows files at once; reads a journal only if a log probe needs it, and after a failure. */
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
    this.#following = this.#keepFollowing(pattern);
  }

  /** Also where what reads a journal ends early, as without memory: a line that a start waits for would never be seen. */
  async #keepFollowing(pattern: string | undefined): Promise<void> {
    for (;;) {
      // The first step is made at once: the files are opened as they are now.
      const lines = this.#manager.logs(this.#unit, this.#request(true), this.#closing.signal);
      await this.#follow(lines[Symbol.asyncIterator](), pattern).catch(() => {});
      if (!this.#isKept || this.match !== undefined || this.#closing.signal.aborted) return;
      await pause(AGAIN_GAP, this.#closing.signal);
      // It is read from the start again.
      this.#lines = [];
    }
  }

  /** Whether it printed the line that its log probe waits for. */
  async matched(): Promise<boolean> {
    const until = Date.now() + LONGEST_FOLLOW;
    while (this.match === undefined && Date.now() < until && !this.#closing.signal.aborted)
      await pause(FOLLOW_GAP, this.#closing.signal);
    return this.match !== undefined;
  }

  /** Lines read so far. */
  get count(): number {
    return this.#count;
  }

  /** A new run begins: what was printed before belongs to the last one. `at`: unix ms. */
  beginRun(at: number): void {
    // Output in files is read a moment after it was printed.
    const isBefore = (line: { readonly at: number }) => line.at < at + READ_GAP;
    this.#earlier = this.#lines.filter(isBefore).map(({ line }) => line);
    this.#lines = this.#lines.filter((line) => !isBefore(line));
    this.#runSince = at;
    this.#newest = undefined;
  }

  /** Its last line; a journal is read only now and then. */
  async lastLine(): Promise<string | undefined> {
    const line = this.#lines.at(-1)?.line;
    if (line !== undefined || !this.#isKept) return line;
    if (this.#newest === undefined || performance.now() - this.#newest.asked >= JOURNAL_GAP)
      await this.#askNewest();
    return this.#newest?.line;
  }

  /** Whether a journal has more lines than when it was last read. Lines in files are counted as they come. */
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
      // Then nothing is known.
    } finally {
      clearTimeout(timer);
    }
    const line = found === undefined ? this.#newest?.line : this.#redactor.line(found.line);
    this.#newest = { line, at: found?.at ?? this.#newest?.at ?? 0, asked: performance.now() };
  }

  /** The last lines of a run that another one has followed, or else of the newest. */
  async lastLines(run?: RunTimes): Promise<string[]> {
    if (!this.#isKept && run !== undefined) {
      this.close();
      return this.#earlier;
    }
    if (!this.#isKept) {
      // On a busy machine the files are read late.
      const until = Date.now() + LONGEST_FOLLOW;
      do await pause(FOLLOW_GAP, this.#closing.signal);
      while (this.#lines.length === 0 && Date.now() < until && !this.#closing.signal.aborted);
      // What the restored version prints is not what this one failed with.
      this.close();
      // This also returns a last line without a newline.
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
      // Its output is only a help.
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

/** Pause before a journal is followed again, ms. */
const AGAIN_GAP = 1000;
/** Longer than the pause between two reads of a followed file, ms. */
const FOLLOW_GAP = 400;
/** That pause on an idle machine, ms. */
const READ_GAP = 150;
/** Longest wait for the last output of something that may have printed none, ms. */
const LONGEST_FOLLOW = 2000;
