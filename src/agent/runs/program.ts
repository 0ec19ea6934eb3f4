import type { ProcessId } from "../../model/process.ts";
import { identify, isRunning, startedAt } from "../../system/processes.ts";
import type { KeeperLink } from "./keeper-link.ts";
import { isAnothers } from "./keepers.ts";
import { bornAt, readPid } from "./run-folder.ts";

/** Which process is the run's program, and whether it is alive. */
export class Program {
  readonly #dir: string;
  readonly #keeper: KeeperLink;
  #process: ProcessId | undefined;

  constructor(dir: string, keeper: KeeperLink) {
    this.#dir = dir;
    this.#keeper = keeper;
  }

  get process(): ProcessId | undefined {
    return this.#process;
  }

  /** The recorded process. */
  recorded(process: ProcessId | undefined): void {
    this.#process = process;
  }

  /** The keeper says that it started it. */
  started(pid: number): ProcessId {
    // A program that has exited already has no start time any more; its keeper still proves what is ours.
    this.#process = identified(pid) ?? { pid, start: "", boot: "" };
    return this.#process;
  }

  /** True while this cannot be checked. `found` is called with the pid once it becomes known. */
  lives(found: (pid: number) => void): boolean {
    try {
      if (this.#process === undefined) this.#find(found);
      if (this.#process === undefined) return false;
      // Its start time could not be read.
      if (this.#process.start === "") return this.#keeper.hasInGroup(this.#process.pid);
      return isRunning(this.#process) || this.#isAnother();
    } catch {
      return true;
    }
  }

  /** The keeper started a process that is not the recorded one, and it is alive. */
  #isAnother(): boolean {
    const pid = this.#keeper.lives() ? this.#keeper.child() : undefined;
    const found = pid === undefined ? undefined : identify(pid);
    if (found) this.#process = found;
    return found !== undefined;
  }

  #find(found: (pid: number) => void): void {
    const pid = this.#keeper.lives() ? this.#keeper.child() : claimedPid(this.#dir);
    if (pid !== undefined && identify(pid) !== undefined) found(pid);
  }
}

/** Longest time between a program's start and the file that notes it, including differences between clocks, ms. */
const CLOCK_SLACK = 5000;

/**
 * The program according to the run folder, if nothing else shows it. The file may be a copy, and the pid may belong to
 * another process by now: it counts only for a process that started when the file was written.
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
