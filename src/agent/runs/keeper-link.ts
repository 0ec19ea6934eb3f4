import type { ProcessId } from "../../model/process.ts";
import { childrenOf, isOfGroup, isRunning, signalProcess } from "../../system/processes.ts";
import type { KeeperFacts } from "./connection.ts";
import { QUESTION } from "./keeper.ts";
import { type Doors, isHeld, readPid, tellKeeper } from "./run-folder.ts";

/** The agent's view of a run's keeper: whether it is alive, whether it can be heard, and what it is told. */
export class KeeperLink {
  readonly #dir: string;
  #doors: Doors | undefined;
  #facts: KeeperFacts | undefined;
  /** It is our child and has not exited. */
  #isOurChild = false;
  #number: number | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The run was reached. `gone` gets the exit code when the keeper exits, if it is our child. */
  connect(facts: KeeperFacts | undefined, doors: Doors, gone: (code: number | null) => void): void {
    this.#doors = doors;
    this.#facts = facts;
    this.#number = facts?.pid ?? readPid(this.#dir, "keeper");
    this.#isOurChild = facts?.gone !== undefined;
    void facts?.gone?.then((code) => {
      this.#isOurChild = false;
      gone(code);
    });
  }

  /** The number of the session that the run began in, whether its keeper is alive or not. */
  get number(): number | undefined {
    return this.#number;
  }
  /** It is our child and has not exited. */
  get isOurChild(): boolean {
    return this.#isOurChild;
  }

  /** True while this cannot be checked. */
  lives(): boolean {
    const adopted: ProcessId | undefined = this.#facts?.adopted;
    if (this.#isOurChild || adopted === undefined) return this.#isOurChild;
    try {
      return isRunning(adopted);
    } catch {
      return true;
    }
  }

  /** There is a keeper that can be heard. True while this cannot be checked. */
  isHeard(): boolean {
    if (this.#isOurChild) return true;
    try {
      return this.#doors !== undefined && isHeld(this.#doors);
    } catch {
      return true;
    }
  }

  /** The program that the keeper started. The keeper recorded its pid, but the server can write to that file too. */
  child(): number | undefined {
    const keeper = this.#facts?.pid;
    if (keeper === undefined) return undefined;
    const claimed = readPid(this.#dir, "pid");
    return claimed !== undefined && isOfGroup(claimed, keeper) ? claimed : childrenOf(keeper)?.[0];
  }

  hasInGroup(pid: number): boolean {
    return this.#facts !== undefined && this.lives() && isOfGroup(pid, this.#facts.pid);
  }

  /** Asks it to repeat how the program ended, if it can. */
  ask(): void {
    if (this.#facts?.answers && this.#doors) tellKeeper(this.#doors, QUESTION);
  }

  /** Tells it to exit. If its folder was removed, it cannot be told and would stay for ever: then it is killed. */
  dismiss(): void {
    const isTold = this.#doors !== undefined && tellKeeper(this.#doors);
    if (!isTold && this.#facts && this.lives()) signalProcess(this.#facts.pid, "SIGKILL");
  }

  /** Kills it, even if it may have exited already: nothing may start from it any more. */
  kill(): void {
    if (this.#facts) signalProcess(this.#facts.pid, "SIGKILL");
  }

  signal(signal: NodeJS.Signals): void {
    signalProcess(this.#facts?.pid as number, signal);
  }
}
