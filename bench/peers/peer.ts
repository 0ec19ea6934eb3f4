import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, until } from "../measure.ts";

/** A program to keep running. */
export interface Program {
  readonly name: string;
  /** Text for /bin/sh. */
  readonly script: string;
}

/** A program manager: xy, or one that people use today. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** Declares what to run. Only the manager itself runs yet. */
  declare(programs: readonly Program[]): Promise<void>;
  /** Runs what is declared, with the commands that a person would type. */
  apply(): Promise<void>;
  /** Stops and removes everything. */
  destroy(): Promise<void>;
  /** Lists everything. */
  readonly list: Command;
  /** The manager, without what it runs. */
  pids(): number[];
  close(): Promise<void>;
}

/** Programs that each record their pid when they start. */
export class Marked {
  readonly programs: readonly Program[];
  readonly #file: string;

  constructor(dir: string, count: number) {
    this.#file = join(dir, "began");
    writeFileSync(this.#file, "");
    this.programs = Array.from({ length: count }, (_, i) => ({
      name: `s${String(i).padStart(4, "0")}`,
      script: `echo $$ >>${this.#file}; exec sleep 1000000`,
    }));
  }

  /** In the order in which they started. */
  get pids(): number[] {
    return readFileSync(this.#file, "utf8").split("\n").filter(Boolean).map(Number);
  }

  forget(): void {
    writeFileSync(this.#file, "");
  }

  async haveBegun(count = this.programs.length): Promise<void> {
    await until(`${count} programs have begun`, () => this.pids.length >= count);
  }

  async areGone(): Promise<void> {
    await until("all programs are gone", () => !this.pids.some(isAlive));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
