import * as fs from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import type { Family, Mark, ProcessRow } from "../model/family.ts";
import type { Leftover } from "../model/leftover.ts";
import type { Exit } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import { familyNow, isKeeper } from "../system/family.ts";
import {
  childrenOf,
  identify,
  isOfGroup,
  isRunning,
  processName,
  rowOf,
  signalExactly,
  signalProcess,
  startedAt,
} from "../system/processes.ts";
import type { LogWriter } from "./log-writer.ts";
import {
  bornAt,
  exitOf,
  hasKeeper,
  openWriteEnds,
  type RunFiles,
  readNow,
  readPid,
  readStatus,
  releaseKeeper,
} from "./run-folder.ts";
import { Seen } from "./seen.ts";

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
  /** Its folder was taken from it: it cannot be told to go. */
  readonly isCut?: boolean;
  /** Settles when the keeper, a child of this process, has ended; absent for an adopted one. */
  readonly gone?: Promise<void>;
}

/** Most processes that are asked for their children between two looks at all. */
const MOST_ASKED = 64;
/** What a run belongs to. */
export interface RunContext {
  readonly log: LogWriter;
  readonly events: IncarnationEvents;
  /** The server's; null: it has none. */
  readonly port: number | null;
  /** Descendants of earlier runs that live on. */
  readonly seen?: readonly Mark[];
}

/** Longest message that may wait for its end, characters. */
const LONGEST_MESSAGE = 1024;
/** Between two looks at a group that is being ended, ms: short at first, for the many that end at once. */
const GROUP_GAPS = [2, 5, 10, 20, 40];
/** Between two looks at a program whose keeper is gone, ms. */
const ORPHAN_GAP = 500;
/**
 * What every fifo is read into: a read is taken in before the next one is made. With one for each fifo a hundred
 * servers would take 20 MiB, and the start of every further program, for which the agent forks, would take longer.
 */
const CHUNK = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One run of one server: its process group, seen through the run folder that its keeper fills. Reads the output
 * into the log, tells how the run goes, and signals the group.
 */
export class Incarnation {
  readonly dir: string;
  readonly #log: LogWriter;
  readonly #events: IncarnationEvents;
  readonly #files: RunFiles;
  readonly #sockets = new Map<keyof RunFiles, Socket>();
  readonly #keeper: number | undefined;
  readonly #adopted: ProcessId | undefined;
  readonly #isCut: boolean;
  /** The keeper is a child of this process that has not ended. */
  #ownKeeper: boolean;
  /** Write ends held until the keeper holds its own: on macOS a fifo that nobody ever wrote is at its end. */
  #placeholders: number[] = [];
  #process: ProcessId | undefined;
  #message = "";
  #exited = false;
  #awaitingEmpty = false;
  readonly #port: number | null;
  readonly #seen: Seen;
  /** The number of the session that the run began in, whether its keeper lives or not. */
  readonly #number: number | undefined;
  /** What was told to end: it is meant also when what it descends from has ended. */
  readonly #ending = new Map<number, string>();
  /** Daemons are ended too. */
  #endsAll = false;
  /** The keeper has just ended: its number is nobody else's yet. */
  #justGone = false;
  #left: readonly ProcessRow[] = [];
  /** The system could not be asked who is in its group. */
  #isBlind = false;
  #signal: NodeJS.Signals | undefined;
  #groupTimer: NodeJS.Timeout | undefined;
  #orphanTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    dir: string,
    files: RunFiles,
    keeper: KeeperFacts | undefined,
    { log, events, port, seen = [] }: RunContext,
  ) {
    this.dir = dir;
    this.#files = files;
    this.#keeper = keeper?.pid;
    this.#adopted = keeper?.adopted;
    this.#isCut = keeper?.isCut === true;
    this.#number = keeper?.pid ?? readPid(dir, "keeper");
    this.#port = port;
    this.#seen = new Seen(dir, (message) => events.report(message));
    this.#seen.add(seen);
    this.#log = log;
    this.#events = events;
    this.#ownKeeper = keeper?.gone !== undefined;
    void keeper?.gone?.then(() => {
      this.#ownKeeper = false;
      this.#justGone = true;
      this.#keeperGone();
    });
  }

  /** Begins a run whose keeper was just started. */
  begin(): void {
    this.#placeholders = openWriteEnds(this.dir);
    this.#readAll();
  }

  /** Takes up a run of an earlier agent. `known`: what was recorded as its process. */
  resume(known: ProcessId | undefined): void {
    this.#process = known;
    this.#readAll();
    const status = readStatus(this.dir);
    if (status) {
      this.drain(Date.now());
      this.exit(status.exit, status.at);
      return;
    }
    const isKept = hasKeeper(this.dir);
    const pid = known ? undefined : isKept ? this.#claimedPid() : processOf(this.dir)?.pid;
    if (pid !== undefined) this.#spawned(pid, bornAt(this.dir));
    if (!isKept) this.#keeperGone();
  }

  /** What the keeper has written down as its program, if it is of its group: the server can write there, too. */
  #claimedPid(): number | undefined {
    const pid = readPid(this.dir, "pid");
    const isIts = pid !== undefined && this.#keeper !== undefined && isOfGroup(pid, this.#keeper);
    return isIts ? pid : undefined;
  }

  #readAll(): void {
    this.#read("out");
    this.#read("err");
    const alive = this.#socket(this.#files.alive, (chunk) => this.#takeMessage(chunk.toString("latin1")));
    alive.once("close", () => this.#aliveEnded());
    this.#sockets.set("alive", alive);
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
    const lead =
      this.#number === undefined
        ? undefined
        : { number: this.#number, isProven: this.#justGone || this.#keeperLives() };
    const ending = [...this.#ending].map(([pid, start]) => ({ pid, start }));
    const { own, left } = await familyNow({
      lead,
      main: this.#process,
      seen: this.#seen.marks,
      ending,
      port: this.#port,
    });
    this.#justGone = false;
    const isMember = ({ pid }: ProcessRow) => pid !== this.#number && pid !== process.pid;
    const family = { own: own.filter(isMember), left: left.filter(isMember) };
    const isNew = ({ pid }: ProcessRow) => pid !== this.#process?.pid;
    if (!this.#closed) this.#seen.replace([...family.own, ...family.left].filter(isNew), this.#number);
    this.#left = family.left;
    return family;
  }

  /**
   * Remembers the descendants that are there now, without a look at all processes of the machine: each is asked for its
   * children, where the system tells them.
   */
  notice(): void {
    if (this.#process === undefined || this.#closed) return;
    const known = new Set(this.#seen.marks.map(({ pid }) => pid));
    const asked = new Set<number>();
    const found: Mark[] = [];
    const open = [this.#process.pid, ...known];
    for (let pid = open.shift(); pid !== undefined && asked.size < MOST_ASKED; pid = open.shift()) {
      if (asked.has(pid)) continue;
      asked.add(pid);
      for (const child of childrenOf(pid) ?? []) {
        if (known.has(child)) continue;
        const row = rowOf(child);
        if (row === undefined || (row.pid === row.group && isKeeper(child))) continue;
        found.push(row);
        open.push(child);
      }
    }
    this.#seen.add(found);
  }

  /** What was seen last of those that are on their own now. */
  get left(): readonly LeftProcess[] {
    return this.#left.map(({ pid, start }) => ({ pid, start, program: processName(pid) }));
  }

  #keeperLives(): boolean {
    if (this.#keeper === undefined || this.#ownKeeper) return this.#keeper !== undefined;
    return (this.#isCut || hasKeeper(this.dir)) && (this.#adopted === undefined || isRunning(this.#adopted));
  }

  /** Takes in the last output and lets everything go: the run is over. */
  release(now: number): void {
    if (this.#closed) return;
    this.drain(now);
    this.#log.endLines(now);
    releaseKeeper(this.dir);
    if (this.#isCut && this.#adopted && isRunning(this.#adopted)) signalProcess(this.#adopted.pid, "SIGKILL");
    this.detach();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  /** Stops reading, and leaves the run as it is for a later agent. Nothing that was read is lost. */
  detach(): void {
    this.#closed = true;
    clearTimeout(this.#groupTimer);
    clearTimeout(this.#orphanTimer);
    this.#dropPlaceholders();
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #dropPlaceholders(): void {
    for (const fd of this.#placeholders) fs.closeSync(fd);
    this.#placeholders = [];
  }

  /** Reads what the pipes hold now. */
  drain(now: number): void {
    // Not the common one: this may be called while a read of another run is being taken in.
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (const stream of ["out", "err"] as const) {
      // A socket that saw its end has closed the number, which may name another file by now.
      if (this.#sockets.get(stream)?.destroyed !== false) continue;
      for (let n = readNow(this.#files[stream], buffer); n > 0; n = readNow(this.#files[stream], buffer)) {
        this.#log.write(stream, buffer.subarray(0, n), now);
      }
    }
  }

  #read(stream: "out" | "err"): void {
    const take = (chunk: Buffer) => this.#log.write(stream, chunk, Date.now());
    this.#sockets.set(stream, this.#socket(this.#files[stream], take));
  }

  /**
   * A socket reads a fifo with the event loop; a file stream would block a thread of the pool for each. `take` must
   * keep nothing of the chunk, which is overwritten by the next read.
   */
  #socket(fd: number, take: (chunk: Buffer) => void): Socket {
    const onread = {
      buffer: CHUNK,
      callback: (n: number) => {
        if (!this.#closed) take(CHUNK.subarray(0, n));
        return true;
      },
    };
    // The types know `onread` for connecting sockets only; Node reads it in the constructor.
    const options: SocketConstructorOpts & { onread: typeof onread } = {
      fd,
      readable: true,
      writable: false,
      onread,
    };
    const socket = new Socket(options);
    socket.on("error", () => socket.destroy());
    socket.resume();
    return socket;
  }

  // --- the life of the program ----------------------------------------------------------------------------------

  #takeMessage(text: string): void {
    // A keeper writes two short lines. Whatever else comes is somebody's who found the folder.
    this.#message = `${this.#message}${text}`.slice(0, LONGEST_MESSAGE);
    for (let end = this.#message.indexOf("\n"); end !== -1; end = this.#message.indexOf("\n")) {
      const [word, number] = this.#message.slice(0, end).split(" ");
      this.#message = this.#message.slice(end + 1);
      if (word === "pid") this.#spawned(Number(number), Date.now());
      if (word === "exit") this.exit(exitOf(Number(number)), Date.now());
    }
  }

  #spawned(pid: number, at: number): void {
    this.#dropPlaceholders();
    if (this.#process || this.#exited) return;
    // A program that has ended already has no start time any more; its keeper still proves what is ours.
    this.#process = identify(pid) ?? { pid, start: "", boot: "" };
    this.#events.spawned(this.#process, at);
  }

  /** Tells the end, once. Also called for an end that was found in the run folder. */
  exit(exit: Exit, at: number): void {
    if (this.#exited || this.#closed) return;
    this.#exited = true;
    clearTimeout(this.#orphanTimer);
    this.#events.exited(exit, at);
  }

  /** The end of `alive` without a message: the keeper was killed. */
  #aliveEnded(): void {
    if (this.#exited || this.#closed) return;
    const found = readStatus(this.dir);
    if (found) this.exit(found.exit, found.at);
    else this.#keeperGone();
  }

  #keeperGone(): void {
    this.#dropPlaceholders();
    if (this.#exited || this.#closed || this.#orphanTimer) return;
    this.#process ??= processOf(this.dir);
    const watch = () => {
      if (this.#process && isRunning(this.#process)) this.#orphanTimer = setTimeout(watch, ORPHAN_GAP);
      else this.exit(readStatus(this.dir)?.exit ?? { kind: "unknown" }, Date.now());
    };
    watch();
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
    for (const { pid, start } of members ?? []) this.#ending.set(pid, start);
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
    if (unborn && signal !== "SIGKILL") signalProcess(this.#keeper as number, signal);
  }
}

/** Between the start of a process and what the system and the clock say of it, ms. */
const CLOCK_SLACK = 2000;

/** The program, as far as its pid alone proves it: one that began later than that was written down is another. */
function processOf(dir: string): ProcessId | undefined {
  const pid = readPid(dir, "pid");
  const began = pid === undefined ? undefined : startedAt(pid);
  if (pid === undefined || began === undefined || began > bornAt(dir) + CLOCK_SLACK) return undefined;
  return identify(pid);
}
