import * as fs from "node:fs";
import type { Family, Mark } from "../../model/family.ts";
import type { Leftover } from "../../model/leftover.ts";
import type { Exit } from "../../model/observed.ts";
import type { ProcessId } from "../../model/process.ts";
import { processName } from "../../system/processes.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import { type Connection, isOpen, RETRY, type Unwatched, whyUnwatched } from "./connection.ts";
import { EndWatch } from "./end-watch.ts";
import { GroupEnd } from "./group-end.ts";
import { KeeperLink } from "./keeper-link.ts";
import { Program } from "./program.ts";
import { RunFamily } from "./run-family.ts";
import { bornAt, exitOf, openWriteEnds, type RunFiles } from "./run-folder.ts";
import { closeFiles, RunReader } from "./run-reader.ts";

/** What an incarnation reports, each at most once, in this order. */
export interface IncarnationEvents {
  /** Since unix ms `at`. */
  spawned(process: ProcessId, at: number): void;
  /** At unix ms `at`. */
  exited(exit: Exit, at: number): void;
  emptied(): void;
  /** Something that people should know, and that ends nothing. */
  report(message: string): void;
}

/** A daemon that a run left behind. */
export type LeftProcess = Leftover & Mark;

/** The server or job that a run belongs to, as far as the run needs to know. */
export interface RunContext {
  readonly log: LogWriter;
  readonly events: IncarnationEvents;
  /** The server's port; null: it has none. */
  readonly port: number | null;
  /** Living descendants from earlier runs, and those of this one that are known from elsewhere. */
  readonly seen?: readonly Mark[];
  /** Already proven to be its keeper. */
  readonly keeper?: ProcessId;
}

/** Exit code of a keeper that cannot record its start. */
const COULD_NOT_WRITE = 70;

/**
 * One run of one server: its process group, seen through the run folder that its keeper fills. Reads the output into the
 * log, reports how the run goes, and signals the group.
 */
export class Incarnation {
  readonly dir: string;
  readonly #log: LogWriter;
  readonly #events: IncarnationEvents;
  readonly #family: RunFamily;
  readonly #keeper: KeeperLink;
  readonly #program: Program;
  readonly #endWatch: EndWatch;
  readonly #groupEnd: GroupEnd;
  /** Write ends, held until the keeper holds its own: on macOS a fifo that was never written to is at its end. */
  #placeholders: number[] = [];
  #exited = false;
  /** The keeper has just exited: nothing else can have its number yet. */
  #justGone = false;
  #files: RunFiles | Unwatched | undefined;
  #reader: RunReader | undefined;
  #connect: () => Promise<Connection> = () => Promise.reject(new Error("it cannot be reached again"));
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(dir: string, { log, events, port, seen = [] }: RunContext) {
    this.dir = dir;
    this.#log = log;
    this.#events = events;
    this.#family = new RunFamily(dir, port, seen, (message) => events.report(message));
    const keeper = new KeeperLink(dir);
    const program = new Program(dir, keeper);
    this.#keeper = keeper;
    this.#program = program;
    this.#endWatch = new EndWatch({
      dir,
      keeper,
      program,
      isOver: () => this.#exited || this.#closed,
      unwatched: () => this.unwatched,
      spawned: (pid, at) => this.#spawned(pid, at),
      exit: (exit, at) => this.#exit(exit, at),
      drain: (now) => this.drain(now),
      notice: () => this.notice(),
    });
    this.#groupEnd = new GroupEnd({
      keeper,
      program,
      hasExited: () => this.#exited,
      isClosed: () => this.#closed,
      family: () => this.family(),
      ending: (members) => this.#family.end(members),
      emptied: () => events.emptied(),
    });
  }

  /** Begins a run whose keeper was just started. */
  begin(connection: Connection): void {
    this.#placeholders = openWriteEnds(this.dir);
    this.#take(connection);
    this.#read();
    this.#endWatch.begin();
  }

  /**
   * Reaches a run of an earlier agent, if that is possible now. `known`: its recorded process. Nothing is reported before
   * {@link resume}.
   */
  async reach(known: ProcessId | undefined, connect: () => Promise<Connection>): Promise<void> {
    this.#program.recorded(known);
    this.#connect = connect;
    await this.#tryToReach();
  }

  async #tryToReach(): Promise<void> {
    try {
      this.#take(await this.#connect());
    } catch (error) {
      this.#files = whyUnwatched(error);
    }
  }

  /**
   * Continues a run that was reached. If it could not be reached, this is tried again and again, and the run is checked as
   * well as possible meanwhile. `asNew`: its start is reported even if its process was recorded.
   */
  resume(asNew = false): void {
    const { process } = this.#program;
    if (asNew && process) this.#events.spawned(process, bornAt(this.dir));
    this.#read();
    this.#endWatch.look();
  }

  /** Why nobody watches it; undefined: it is watched. */
  get unwatched(): Unwatched | undefined {
    return this.#files !== undefined && !isOpen(this.#files) ? this.#files : undefined;
  }

  #take({ keeper, doors, files }: Connection): void {
    if (this.#closed) {
      if (isOpen(files)) closeFiles(files);
      return;
    }
    this.#keeper.connect(keeper, doors, (code) => this.#keeperGone(code));
    this.#files = files;
  }

  /** Reads what can be read, or tries again later. */
  #read(gap = RETRY.first): void {
    const files = this.#files;
    if (this.#closed || files === undefined) return;
    if (isOpen(files)) {
      this.#reader ??= new RunReader(files, this.#log, {
        said: (word, number) => {
          if (word === "pid") this.#spawned(number, Date.now());
          else this.#exit(exitOf(number), Date.now());
        },
        silent: () => this.#keeperSilent(),
      });
      return;
    }
    if (gap === RETRY.first)
      this.#events.report(`it cannot be watched: ${files.reason}; trying again until it works`);
    this.#retryTimer = setTimeout(() => void this.#readAgain(Math.min(2 * gap, RETRY.last)), gap);
  }

  async #readAgain(gap: number): Promise<void> {
    await this.#tryToReach();
    if (!this.unwatched && !this.#closed) this.#events.report("it is watched again");
    this.#read(gap);
    this.#endWatch.startOver();
  }

  /** Whether the last check could not tell which of its processes are alive. */
  get isBlind(): boolean {
    return this.#groupEnd.isBlind;
  }

  /** Signals all its processes and watches until there are none. `all`: also the daemons that it left behind. */
  signal(signal: NodeJS.Signals, all = false): void {
    this.#groupEnd.signal(signal, all);
  }

  /** Pids of everything that is stopped with the server and is alive. Empty when nothing can be proven to be ours. */
  async members(): Promise<readonly number[]> {
    return (await this.family()).own.map(({ pid }) => pid);
  }

  /** Its living processes, without the keeper. They are remembered. */
  async family(): Promise<Family> {
    const isProven = this.#justGone || this.#keeper.lives();
    const family = await this.#family.look({
      main: this.#program.process,
      number: this.#keeper.number,
      isProven,
    });
    this.#justGone = false;
    return family;
  }

  /** Remembers the descendants that exist now, without reading the whole process table. */
  notice(): void {
    const { process } = this.#program;
    if (process !== undefined) this.#family.notice(process);
  }

  /** The daemons, as last seen. */
  get left(): readonly LeftProcess[] {
    return this.#family.left.map(({ pid, start }) => ({ pid, start, program: processName(pid) }));
  }

  /** Reads the last output and releases everything: the run is over. */
  release(now: number): void {
    if (this.#closed) return;
    this.drain(now);
    if (this.#reader) this.#log.endLines(now);
    this.#keeper.dismiss();
    this.detach();
    try {
      fs.rmSync(this.dir, { recursive: true, force: true });
    } catch (error) {
      // The next agent does it.
      this.#events.report(`cannot remove ${this.dir}: ${String(error)}`);
    }
  }

  /** Stops reading and leaves the run to a later agent. Nothing that was read is lost. */
  detach(): void {
    this.#closed = true;
    this.#family.close();
    this.#groupEnd.close();
    this.#endWatch.close();
    clearTimeout(this.#retryTimer);
    this.#dropPlaceholders();
    if (this.#reader) this.#reader.close();
    else if (this.#files && isOpen(this.#files)) closeFiles(this.#files);
  }

  #dropPlaceholders(): void {
    for (const fd of this.#placeholders) fs.closeSync(fd);
    this.#placeholders = [];
  }

  /** Reads what the pipes hold now. */
  drain(now: number): void {
    this.#reader?.drain(now);
  }

  // --- the life of the program ----------------------------------------------------------------------------------

  #spawned(pid: number, at: number): void {
    this.#dropPlaceholders();
    if (this.#program.process || this.#exited || this.#closed) return;
    this.#events.spawned(this.#program.started(pid), at);
  }

  /** Reports once how the program ended. */
  #exit(exit: Exit, at: number): void {
    if (this.#exited || this.#closed) return;
    this.#exited = true;
    this.#endWatch.close();
    this.#events.exited(exit, at);
  }

  /** The keeper, our child, has exited. */
  #keeperGone(code: number | null): void {
    this.#dropPlaceholders();
    if (this.#closed) return;
    if (code !== COULD_NOT_WRITE || this.#program.process !== undefined) {
      this.#keeperSilent();
      return;
    }
    const because = `it was not started: its keeper cannot write in ${this.dir}`;
    this.#exit({ kind: "unknown", because }, Date.now());
  }

  /** The keeper was killed; otherwise it would have reported the end first. */
  #keeperSilent(): void {
    if (this.#exited || this.#closed || this.#keeper.isOurChild) return;
    this.#justGone = true;
    // Right now everything in its session is known to be ours; later nobody could tell.
    void this.family().catch(() => {});
    this.#endWatch.lookSoon();
  }
}
