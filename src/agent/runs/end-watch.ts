import type { Exit } from "../../model/observed.ts";
import type { Unwatched } from "./connection.ts";
import type { KeeperLink } from "./keeper-link.ts";
import type { Program } from "./program.ts";
import { bornAt, readStatus } from "./run-folder.ts";

/** Pause between two checks of a program whose exit nobody would report, ms. */
const LOOK_GAP = 500;
/**
 * The same if its keeper would report it but may be prevented: somebody stopped the keeper, or reads what it writes. Long,
 * since each check costs something.
 */
const SURE_GAP = 20_000;
/** Wait before the first check once the keeper is gone, ms. */
const SOON = 20;
/** After so many checks that find no program, its keeper gets no more time to report its start or its end. */
const PATIENCE = { ended: 4, unborn: 20 };

const KEEPER_KILLED = "its keeper had been killed";
const KEEPER_SILENT = "its keeper does not say how it ended";

/** The run that is watched. */
interface WatchedRun {
  readonly dir: string;
  readonly keeper: KeeperLink;
  readonly program: Program;
  /** Its end was reported, or the run was released. */
  isOver(): boolean;
  unwatched(): Unwatched | undefined;
  /** Its program was found. */
  spawned(pid: number, at: number): void;
  exit(exit: Exit, at: number): void;
  /** Reads what is left in the pipes. */
  drain(now: number): void;
  /** Remembers the descendants that are there now. */
  notice(): void;
}

/** Checks now and then whether the program of a run is alive, because its keeper may not be able to report its end. */
export class EndWatch {
  readonly #run: WatchedRun;
  #timer: NodeJS.Timeout | undefined;
  /** Checks in a row that found its program gone. */
  #missed = 0;

  constructor(run: WatchedRun) {
    this.#run = run;
  }

  /** A new run: its keeper will report it. */
  begin(): void {
    this.#lookIn(SURE_GAP);
  }

  /** The keeper is gone. Its fifos close one after the other, and then it exits. */
  lookSoon(): void {
    this.#lookIn(SOON);
  }

  /** The run is reached again: its keeper may now report what happened to the program. */
  startOver(): void {
    this.#missed = 0;
    this.look();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  look(): void {
    clearTimeout(this.#timer);
    const run = this.#run;
    if (run.isOver()) return;
    const lives = run.program.lives((pid) => run.spawned(pid, bornAt(run.dir)));
    if (lives) this.#missed = 0;
    const isReported = lives && !run.unwatched() && run.keeper.isHeard();
    if (lives && !isReported) run.notice();
    if (!lives && this.#tellEnd()) return;
    this.#lookIn(isReported ? SURE_GAP : LOOK_GAP);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), ms);
  }

  /** The program is gone. False: how it ended may still be reported. */
  #tellEnd(): boolean {
    const { keeper, program, ...run } = this.#run;
    this.#missed++;
    const status = statusIn(run.dir);
    if (status) {
      run.drain(Date.now());
      run.exit(status.exit, status.at);
      return true;
    }
    const isHeard = keeper.isHeard();
    const unwatched = run.unwatched();
    const patience = program.process || !isHeard ? PATIENCE.ended : PATIENCE.unborn;
    const isHopeless = !isHeard && !unwatched;
    if (isHeard && this.#missed === 1) keeper.ask();
    if (!isHopeless && this.#missed < patience) return false;
    // A program that has not started by now must not start unnoticed later.
    if (isHeard && program.process === undefined) keeper.kill();
    const keeperText = isHeard ? KEEPER_SILENT : KEEPER_KILLED;
    const because = unwatched ? `it could not be watched: ${unwatched.reason}` : keeperText;
    run.exit({ kind: "unknown", because }, Date.now());
    return true;
  }
}

function statusIn(dir: string): ReturnType<typeof readStatus> {
  try {
    return readStatus(dir);
  } catch {
    return undefined;
  }
}
