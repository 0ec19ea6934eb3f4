import * as fs from "node:fs";
import type { Family, Mark } from "../../model/family.ts";
import type { Leftover } from "../../model/leftover.ts";
import type { Exit } from "../../model/observed.ts";
import type { ProcessId } from "../../model/process.ts";
import {
  childrenOf,
  identify,
  isOfGroup,
  isRunning,
  processName,
  signalExactly,
  signalProcess,
  startedAt,
} from "../../system/processes.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import { QUESTION } from "./keeper.ts";
import { isAnothers } from "./keepers.ts";
import { RunFamily } from "./run-family.ts";
import {
  bornAt,
  type Doors,
  exitOf,
  isHeld,
  openWriteEnds,
  type RunFiles,
  readPid,
  readStatus,
  tellKeeper,
} from "./run-folder.ts";
import { closeFiles, RunReader } from "./run-reader.ts";

/** What an incarnation tells, each at most once, in this order. */
export interface IncarnationEvents {
  /** Since unix ms `at`. */
  spawned(process: ProcessId, at: number): void;
  /** At unix ms `at`. */
  exited(exit: Exit, at: number): void;
  emptied(): void;
  /** Something that people are to know, and that ends nothing. */
  report(message: string): void;
}

/** A daemon that a run has left behind. */
export type LeftProcess = Leftover & Mark;

export interface KeeperFacts {
  readonly pid: number;
  /** One that an earlier agent had started, proven to be it. */
  readonly adopted?: ProcessId;
  /** It tells an end again when it is asked: see keeper.ts. */
  readonly answers: boolean;
  /** Settles, with its exit code, when the keeper, a child of this process, has ended; absent for an adopted one. */
  readonly gone?: Promise<number | null>;
}

/** A run as it is reached: who keeps it, by which fifos, and those that are read, or why none can be. */
export interface Connection {
  readonly keeper: KeeperFacts | undefined;
  readonly doors: Doors;
  readonly files: RunFiles | Unwatched;
}

/** What a run belongs to. */
export interface RunContext {
  readonly log: LogWriter;
  readonly events: IncarnationEvents;
  /** The server's; null: it has none. */
  readonly port: number | null;
  /** Descendants that live on: of earlier runs, or of this one, as far as something else tells. */
  readonly seen?: readonly Mark[];
  /** Proven to be its keeper already. */
  readonly keeper?: ProcessId;
}

/** A run that cannot be watched for now: nobody reads what it prints, and its end is found by looking only. */
export interface Unwatched {
  readonly reason: string;
}

/** Between two looks at a group that is being ended, ms: short at first, for the many that end at once. */
const GROUP_GAPS = [2, 5, 10, 20, 40];
/** Between two looks at a program of which nobody would tell, ms. */
const LOOK_GAP = 500;
/**
 * The same where its keeper would tell, which may be kept from it: by whoever stopped it, or reads what it says. Seldom, as
 * each look costs something.
 */
const SURE_GAP = 20_000;
/** Until the first of them, when its keeper is gone, ms. */
const SOON = 20;
/** Looks that find it gone until its keeper has no more time to say how it ended; and until there is to be one at all. */
const PATIENCE = { ended: 4, unborn: 20 };
/** Between two attempts to watch a run, ms: each is twice the one before. */
const AGAIN = { first: 500, last: 30_000 };
/** How a keeper ends that cannot write down that it began. */
const COULD_NOT_WRITE = 70;

const KEEPER_KILLED = "its keeper had been killed";
const KEEPER_SILENT = "its keeper does not say how it ended";

/**
 * One run of one server: its process group, seen through the run folder that its keeper fills. Reads the output
 * into the log, tells how the run goes, and signals the group.
 */
export class Incarnation {
  readonly dir: string;
  readonly #log: LogWriter;
  readonly #events: IncarnationEvents;
  readonly #family: RunFamily;
  #reader: RunReader | undefined;
  #doors: Doors | undefined;
  #keeper: KeeperFacts | undefined;
  /** The keeper is a child of this process that has not ended. */
  #ownKeeper = false;
  /** Write ends held until the keeper holds its own: on macOS a fifo that nobody ever wrote is at its end. */
  #placeholders: number[] = [];
  #process: ProcessId | undefined;
  #exited = false;
  #awaitingEmpty = false;
  /** The number of the session that the run began in, whether its keeper lives or not. */
  #number: number | undefined;
  /** Daemons are ended too. */
  #endsAll = false;
  /** The keeper has just ended: its number is nobody else's yet. */
  #justGone = false;
  /** The system could not be asked who is in its group. */
  #isBlind = false;
  #signal: NodeJS.Signals | undefined;
  #groupTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  /** Looks in a row that found its program gone. */
  #missed = 0;
  #files: RunFiles | Unwatched | undefined;
  #connect: () => Promise<Connection> = () => Promise.reject(new Error("it cannot be reached again"));
  #againTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(dir: string, { log, events, port, seen = [] }: RunContext) {
    this.dir = dir;
    this.#log = log;
    this.#events = events;
    this.#family = new RunFamily(dir, port, seen, (message) => events.report(message));
  }

  /** Begins a run whose keeper was just started. */
  begin(connection: Connection): void {
    this.#placeholders = openWriteEnds(this.dir);
    this.#take(connection);
    this.#read();
    this.#lookTimer = setTimeout(() => this.#lookForEnd(), SURE_GAP);
  }

  /**
   * Reaches a run of an earlier agent, if that can be done now. `known`: what was recorded as its process. Nothing is told
   * of it before {@link resume}.
   */
  async reach(known: ProcessId | undefined, connect: () => Promise<Connection>): Promise<void> {
    this.#process = known;
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
   * Takes it up. One that could not be reached is tried again and again, and looked at meanwhile as well as it can be.
   * `asNew`: its start is told, also when its process was recorded.
   */
  resume(asNew = false): void {
    if (asNew && this.#process) this.#events.spawned(this.#process, bornAt(this.dir));
    this.#read();
    this.#lookForEnd();
  }

  /** Why nobody watches it; undefined: it is watched. */
  get unwatched(): Unwatched | undefined {
    return this.#files !== undefined && "reason" in this.#files ? this.#files : undefined;
  }

  #take({ keeper, doors, files }: Connection): void {
    if (this.#closed) {
      if ("out" in files) closeFiles(files);
      return;
    }
    this.#doors = doors;
    this.#keeper = keeper;
    this.#number = keeper?.pid ?? readPid(this.dir, "keeper");
    this.#ownKeeper = keeper?.gone !== undefined;
    void keeper?.gone?.then((code) => this.#ownKeeperGone(code));
    this.#files = files;
  }

  /** Reads what can be read, or tries again later. */
  #read(gap = AGAIN.first): void {
    const files = this.#files;
    if (this.#closed || files === undefined) return;
    if ("out" in files) {
      this.#reader ??= new RunReader(files, this.#log, {
        said: (word, number) => {
          if (word === "pid") this.#spawned(number, Date.now());
          else this.exit(exitOf(number), Date.now());
        },
        silent: () => this.#keeperSilent(),
      });
      return;
    }
    if (gap === AGAIN.first)
      this.#events.report(`nobody watches it: ${files.reason}; this is tried again until it works`);
    this.#againTimer = setTimeout(() => void this.#readAgain(Math.min(2 * gap, AGAIN.last)), gap);
  }

  async #readAgain(gap: number): Promise<void> {
    await this.#tryToReach();
    if (!this.unwatched && !this.#closed) this.#events.report("it is watched again");
    this.#read(gap);
    // Whatever became of its program, somebody may be able to tell now.
    this.#missed = 0;
    this.#lookForEnd();
  }

  /** Whether anything of it lives could not be found out when somebody looked last. */
  get isBlind(): boolean {
    return this.#isBlind;
  }

  /**
   * Signals all living processes of the run, and watches until there are none. `all`: the daemons, too, that it has left
   * behind.
   */
  signal(signal: NodeJS.Signals, all = false): void {
    this.#signal = signal;
    this.#endsAll = all;
    this.#awaitingEmpty = true;
    void this.#lookAtGroup(0, true);
  }

  /** Pids of all that is stopped with the server and lives. Empty when nothing can be proven to be ours. */
  async members(): Promise<readonly number[]> {
    return (await this.family()).own.map(({ pid }) => pid);
  }

  /** What lives of it, the keeper left out. What is found is remembered. */
  async family(): Promise<Family> {
    const isProven = this.#justGone || this.#keeperLives();
    const family = await this.#family.look({ main: this.#process, number: this.#number, isProven });
    this.#justGone = false;
    return family;
  }

  /** Remembers the descendants that are there now, without a look at all processes of the machine. */
  notice(): void {
    if (this.#process !== undefined) this.#family.notice(this.#process);
  }

  /** What was seen last of those that are on their own now. */
  get left(): readonly LeftProcess[] {
    return this.#family.left.map(({ pid, start }) => ({ pid, start, program: processName(pid) }));
  }

  /** True as long as nobody can look. */
  #keeperLives(): boolean {
    if (this.#ownKeeper || this.#keeper?.adopted === undefined) return this.#ownKeeper;
    try {
      return isRunning(this.#keeper.adopted);
    } catch {
      return true;
    }
  }

  /** Takes in the last output and lets everything go: the run is over. */
  release(now: number): void {
    if (this.#closed) return;
    this.drain(now);
    if (this.#reader) this.#log.endLines(now);
    // One that cannot be told to go, since its folder was taken from it, would stay for ever.
    const isTold = this.#doors !== undefined && tellKeeper(this.#doors);
    if (!isTold && this.#keeper && this.#keeperLives()) signalProcess(this.#keeper.pid, "SIGKILL");
    this.detach();
    try {
      fs.rmSync(this.dir, { recursive: true, force: true });
    } catch (error) {
      // The next agent does it.
      this.#events.report(`cannot remove ${this.dir}: ${String(error)}`);
    }
  }

  /** Stops reading, and leaves the run as it is for a later agent. Nothing that was read is lost. */
  detach(): void {
    this.#closed = true;
    this.#family.close();
    for (const timer of [this.#groupTimer, this.#lookTimer, this.#againTimer]) clearTimeout(timer);
    this.#dropPlaceholders();
    if (this.#reader) this.#reader.close();
    else if (this.#files && "out" in this.#files) closeFiles(this.#files);
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
    if (this.#process || this.#exited || this.#closed) return;
    // A program that has ended already has no start time any more; its keeper still proves what is ours.
    this.#process = identified(pid) ?? { pid, start: "", boot: "" };
    this.#events.spawned(this.#process, at);
  }

  /** Tells the end, once. Also called for an end that was found in the run folder. */
  exit(exit: Exit, at: number): void {
    if (this.#exited || this.#closed) return;
    this.#exited = true;
    clearTimeout(this.#lookTimer);
    this.#events.exited(exit, at);
  }

  #ownKeeperGone(code: number | null): void {
    this.#ownKeeper = false;
    this.#dropPlaceholders();
    if (this.#closed) return;
    if (code !== COULD_NOT_WRITE || this.#process !== undefined) {
      this.#keeperSilent();
      return;
    }
    const because = `it was not started: its keeper cannot write in ${this.dir}`;
    this.exit({ kind: "unknown", because }, Date.now());
  }

  /** The keeper was killed, or else its end was told before. */
  #keeperSilent(): void {
    if (this.#exited || this.#closed || this.#ownKeeper) return;
    this.#justGone = true;
    // What is in its session is known as ours for this moment: later on nobody could tell.
    void this.family().catch(() => {});
    // Its fifos end one after the other, and it itself after them.
    clearTimeout(this.#lookTimer);
    this.#lookTimer = setTimeout(() => this.#lookForEnd(), SOON);
  }

  /** Looks at the program itself, as long as nobody would tell of its end. */
  #lookForEnd(): void {
    clearTimeout(this.#lookTimer);
    if (this.#exited || this.#closed) return;
    const lives = this.#programLives();
    if (lives) this.#missed = 0;
    const isTold = lives && !this.unwatched && this.#isKept();
    if (lives && !isTold) this.notice();
    if (!lives && this.#tellEnd()) return;
    this.#lookTimer = setTimeout(() => this.#lookForEnd(), isTold ? SURE_GAP : LOOK_GAP);
  }

  /** True as long as nobody can look. */
  #programLives(): boolean {
    try {
      this.#findProgram();
      if (this.#process === undefined) return false;
      // Nobody could see when it began.
      if (this.#process.start === "")
        return (
          this.#keeper !== undefined && this.#keeperLives() && isOfGroup(this.#process.pid, this.#keeper.pid)
        );
      return isRunning(this.#process) || this.#isAnother();
    } catch {
      return true;
    }
  }

  /** What was recorded is not what its keeper has started, and that lives. */
  #isAnother(): boolean {
    const pid = this.#keeperLives() ? this.#childOf(this.#keeper?.pid) : undefined;
    const found = pid === undefined ? undefined : identify(pid);
    if (found) this.#process = found;
    return found !== undefined;
  }

  /** Which process it is, where no record says that. */
  #findProgram(): void {
    if (this.#process) return;
    const pid = this.#keeperLives() ? this.#childOf(this.#keeper?.pid) : claimedPid(this.dir);
    if (pid !== undefined && identify(pid) !== undefined) this.#spawned(pid, bornAt(this.dir));
  }

  /** What the keeper has started. It wrote that down, too, where the server can write as well. */
  #childOf(keeper: number | undefined): number | undefined {
    if (keeper === undefined) return undefined;
    const claimed = readPid(this.dir, "pid");
    return claimed !== undefined && isOfGroup(claimed, keeper) ? claimed : childrenOf(keeper)?.[0];
  }

  /** The program is gone. False: how it ended may still be told. */
  #tellEnd(): boolean {
    this.#missed++;
    const status = this.#status();
    if (status) {
      this.drain(Date.now());
      this.exit(status.exit, status.at);
      return true;
    }
    const isKept = this.#isKept();
    const patience = this.#process || !isKept ? PATIENCE.ended : PATIENCE.unborn;
    const isHopeless = !isKept && !this.unwatched;
    if (isKept && this.#missed === 1 && this.#keeper?.answers && this.#doors)
      tellKeeper(this.#doors, QUESTION);
    if (!isHopeless && this.#missed < patience) return false;
    // One that has not begun by now must not begin when nobody knows of it any more.
    if (isKept && this.#process === undefined && this.#keeper) signalProcess(this.#keeper.pid, "SIGKILL");
    const because = this.unwatched
      ? `nobody could watch it: ${this.unwatched.reason}`
      : isKept
        ? KEEPER_SILENT
        : KEEPER_KILLED;
    this.exit({ kind: "unknown", because }, Date.now());
    return true;
  }

  #status(): ReturnType<typeof readStatus> {
    try {
      return readStatus(this.dir);
    } catch {
      return undefined;
    }
  }

  /** A keeper is there that can be heard. */
  #isKept(): boolean {
    if (this.#ownKeeper) return true;
    try {
      return this.#doors !== undefined && isHeld(this.#doors);
    } catch {
      return true;
    }
  }

  async #lookAtGroup(round: number, first: boolean): Promise<void> {
    clearTimeout(this.#groupTimer);
    // When the system could not be asked, it is asked again.
    const family = await this.family().catch(() => undefined);
    const members = family && (this.#endsAll ? [...family.own, ...family.left] : family.own);
    if (this.#closed || !this.#awaitingEmpty) return;
    this.#isBlind = members === undefined;
    if (members?.length === 0 && this.#exited) {
      this.#awaitingEmpty = false;
      this.#events.emptied();
      return;
    }
    this.#family.end(members ?? []);
    if (members && (first || this.#signal === "SIGKILL")) this.#deliver(members);
    const gap = GROUP_GAPS[Math.min(round, GROUP_GAPS.length - 1)];
    const still = first && members === undefined;
    this.#groupTimer = setTimeout(() => void this.#lookAtGroup(round + 1, still), gap);
  }

  /**
   * Member by member, because the keeper must live to tell the exit code; SIGKILL again at every look, because a
   * member may have forked meanwhile. Before there is a program, the keeper itself takes note of the signal.
   */
  #deliver(members: readonly Mark[]): void {
    const signal = this.#signal as NodeJS.Signals;
    for (const member of members) signalExactly(member, signal);
    const unborn =
      members.length === 0 && !this.#exited && this.#process === undefined && this.#keeperLives();
    if (unborn && signal !== "SIGKILL") signalProcess(this.#keeper?.pid as number, signal);
  }
}

/** Between the start of a program and the word of it in its run folder, ms, and what clocks differ by. */
const CLOCK_SLACK = 5000;

/**
 * The program as it is written down, when that is all there is. The file may be a copy, and the number another
 * process's by now: it counts for one that began just when it was written.
 */
function claimedPid(dir: string): number | undefined {
  const pid = readPid(dir, "pid");
  const began = pid === undefined ? undefined : startedAt(pid);
  if (pid === undefined || began === undefined || isAnothers(pid, dir)) return undefined;
  const age = bornAt(dir) - began;
  return age >= -CLOCK_SLACK && age <= CLOCK_SLACK ? pid : undefined;
}

function identified(pid: number): ProcessId | undefined {
  try {
    return identify(pid);
  } catch {
    return undefined;
  }
}

function whyUnwatched(error: unknown): Unwatched {
  return { reason: error instanceof Error ? error.message : String(error) };
}
