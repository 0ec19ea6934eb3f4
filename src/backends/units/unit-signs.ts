import * as fs from "node:fs";
import { LOOK_EVERY, noSigns, type Signs, silentFrom, withLook } from "../../model/signs.ts";
import { unitFamily } from "../../system/family.ts";
import { ticksOf } from "../../system/usage.ts";
import type { Unit, UnitManager } from "./manager.ts";

/** What is known about a server's output. */
interface Printed {
  /** Lines read so far. */
  readonly count: number;
  /** Whether a journal has more lines than when it was last read. */
  hasMore(): Promise<boolean>;
}

/** Signs of life of a server that a service manager starts, during a wait for it. */
export class UnitSigns {
  readonly #files: readonly string[];
  readonly #output: Printed;
  #signs: Signs;
  #nextAt: number;
  #sizes = 0;
  #printed = 0;

  constructor(manager: UnitManager, unit: Unit, output: Printed) {
    const files = manager.logFiles(unit.spec, unit.file);
    this.#files = files ? [...new Set([files.out, files.err])] : [];
    this.#output = output;
    this.#sizes = this.#sizesNow();
    const now = performance.now();
    this.#signs = noSigns(output.count, now);
    this.#nextAt = now;
  }

  /** Looks for signs of life, if it is time. Returns whether it has been silent for too long. */
  async areOver(pid: number | undefined): Promise<boolean> {
    if (performance.now() < this.#nextAt) return false;
    this.#nextAt = performance.now() + LOOK_EVERY;
    const processes = await processesOf(pid);
    const before = this.#signs;
    this.#signs = withLook(before, { printed: this.#count(), processes }, performance.now());
    // Reading a journal takes a program: it is done only if there is no other sign.
    if (this.#signs.lastAt === before.lastAt && (await this.#output.hasMore())) {
      this.#printed++;
      this.#signs = withLook(this.#signs, { printed: this.#count(), processes }, performance.now());
    }
    return performance.now() >= silentFrom(this.#signs);
  }

  /** Files may be rotated, and lines may come from elsewhere, so only changes are counted: the count never shrinks. */
  #count(): number {
    const sizes = this.#sizesNow();
    if (sizes !== this.#sizes) this.#printed++;
    this.#sizes = sizes;
    return this.#printed + this.#output.count;
  }

  #sizesNow(): number {
    return this.#files.reduce((sum, file) => sum + sizeOf(file), 0);
  }
}

function sizeOf(file: string): number {
  try {
    return fs.statSync(file).size;
  } catch {
    return 0;
  }
}

/** Undefined if they cannot be seen, such as in another namespace or on another machine. */
async function processesOf(pid: number | undefined): Promise<ReadonlyMap<string, number> | undefined> {
  if (pid === undefined) return new Map();
  try {
    const found = await ticksOf((await unitFamily(pid)).map((row) => row.pid));
    return found.size > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}
