import type { ProcessId } from "../../model/process.ts";
import { childrenOf, isOfGroup, isRunning, signalProcess } from "../../system/processes.ts";
import type { KeeperFacts } from "./connection.ts";
import { QUESTION } from "./keeper.ts";
import { type Doors, isHeld, readPid, tellKeeper } from "./run-folder.ts";

/** The keeper of one run, as the agent knows it: whether it is alive, whether it can be heard, and what it is told. */
export class KeeperLink {
  readonly #dir: string;
  #doors: Doors | undefined;
  #facts: KeeperFacts | undefined;
  /** It is a child of this process that has not exited. */
  #isOurChild = false;
  #number: number | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The run was reached. `gone`: told when the keeper exits, if it is our child, with its exit code. */
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
  /** It is a child of this process that has not exited. */
  get isOurChild(): boolean {
    return this.#isOurChild;
  }

  /** True as long as nobody can look. */
  lives(): boolean {
    const adopted: ProcessId | undefined = this.#facts?.adopted;
    if (this.#isOurChild || adopted === undefined) return this.#isOurChild;
    try {
      return isRunning(adopted);
    } catch {
      return true;
    }
  }

  /** There is a keeper that can be heard. True as long as nobody can look. */
  isHeard(): boolean {
    if (this.#isOurChild) return true;
    try {
      return this.#doors !== undefined && isHeld(this.#doors);
    } catch {
      return true;
    }
  }

  /** The program, which the keeper started. The keeper wrote its pid down, but where the server can write as well. */
  child(): number | undefined {
    const keeper = this.#facts?.pid;
    if (keeper === undefined) return undefined;
    const claimed = readPid(this.#dir, "pid");
    return claimed !== undefined && isOfGroup(claimed, keeper) ? claimed : childrenOf(keeper)?.[0];
  }

  hasInGroup(pid: number): boolean {
    return this.#facts !== undefined && this.lives() && isOfGroup(pid, this.#facts.pid);
  }

  /** Asks it to say once more how the program ended, if it can. */
  ask(): void {
    if (this.#facts?.answers && this.#doors) tellKeeper(this.#doors, QUESTION);
  }

  /** Tells it to go. One whose folder was removed cannot be told, and would stay for ever: it is killed. */
  dismiss(): void {
    const isTold = this.#doors !== undefined && tellKeeper(this.#doors);
    if (!isTold && this.#facts && this.lives()) signalProcess(this.#facts.pid, "SIGKILL");
  }

  /** Whether it is alive or not: nothing of it may begin. */
  kill(): void {
    if (this.#facts) signalProcess(this.#facts.pid, "SIGKILL");
  }

  signal(signal: NodeJS.Signals): void {
    signalProcess(this.#facts?.pid as number, signal);
  }
}
