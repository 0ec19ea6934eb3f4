import type { Family, Mark } from "../../model/family.ts";
import { signalExactly } from "../../system/processes.ts";
import type { KeeperLink } from "./keeper-link.ts";
import type { Program } from "./program.ts";

/** Pauses between checks of a group that is being stopped, ms: short at first, as most exit at once. */
const GROUP_GAPS = [2, 5, 10, 20, 40];

/** The run whose processes are stopped. */
interface EndingRun {
  readonly keeper: KeeperLink;
  readonly program: Program;
  hasExited(): boolean;
  isClosed(): boolean;
  /** What is alive of it, without the keeper. */
  family(): Promise<Family>;
  /** These are being stopped. */
  ending(members: readonly Mark[]): void;
  emptied(): void;
}

/** Stops all processes of a run, and reports when none is left. */
export class GroupEnd {
  readonly #run: EndingRun;
  #isAwaiting = false;
  #endsAll = false;
  #isBlind = false;
  #signal: NodeJS.Signals | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(run: EndingRun) {
    this.#run = run;
  }

  /** Whether the last check could not find out what is alive. */
  get isBlind(): boolean {
    return this.#isBlind;
  }

  /** Signals all its processes and watches until there are none. `all`: also the daemons that it left behind. */
  signal(signal: NodeJS.Signals, all: boolean): void {
    this.#signal = signal;
    this.#endsAll = all;
    this.#isAwaiting = true;
    void this.#look(0, true);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #look(round: number, first: boolean): Promise<void> {
    clearTimeout(this.#timer);
    const run = this.#run;
    // If the system could not be asked, it is asked again.
    const family = await run.family().catch(() => undefined);
    const members = family && (this.#endsAll ? [...family.own, ...family.left] : family.own);
    if (run.isClosed() || !this.#isAwaiting) return;
    this.#isBlind = members === undefined;
    if (members?.length === 0 && run.hasExited()) {
      this.#isAwaiting = false;
      run.emptied();
      return;
    }
    run.ending(members ?? []);
    if (members && (first || this.#signal === "SIGKILL")) this.#deliver(members);
    const gap = GROUP_GAPS[Math.min(round, GROUP_GAPS.length - 1)];
    const still = first && members === undefined;
    this.#timer = setTimeout(() => void this.#look(round + 1, still), gap);
  }

  /**
   * Process by process, because the keeper must live to report the exit code; SIGKILL again at every check, because a
   * process may have forked meanwhile. Before there is a program, the keeper itself takes the signal.
   */
  #deliver(members: readonly Mark[]): void {
    const signal = this.#signal as NodeJS.Signals;
    for (const member of members) signalExactly(member, signal);
    const { keeper, program } = this.#run;
    const isUnborn =
      members.length === 0 && !this.#run.hasExited() && program.process === undefined && keeper.lives();
    if (isUnborn && signal !== "SIGKILL") keeper.signal(signal);
  }
}
