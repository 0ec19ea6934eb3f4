import { startHash } from "../../model/canonical.ts";
import type { Change } from "../../model/plan.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { ServiceError } from "../ask.ts";
import type { PerformOptions, PerformResult } from "../backend.ts";
import { end } from "./ending.ts";
import type { Inventory, Known } from "./inventory.ts";
import type { Unit } from "./manager.ts";
import { Output } from "./output.ts";
import type { UnitRecord } from "./record.ts";
import type { UnSettled } from "./start-watch.ts";
import type { Starting } from "./starting.ts";
import { outdatedBy, type Writing } from "./writing.ts";

/** A change of one server, and what existed of it before. */
export interface Work {
  readonly action: Change["action"];
  /** It is to be started. */
  readonly begins: boolean;
  readonly before: Known | undefined;
  /** A unit without a record. */
  readonly unrecorded: Unit | undefined;
  readonly record: UnitRecord;
}

export interface Begun extends Work {
  readonly unit: Unit;
  readonly output: Output;
}

/** Whether a process would be started differently than with what was recorded before. */
export function isOther(before: Known | undefined, { spec }: UnitRecord): boolean {
  return before !== undefined && startHash(before.record.spec) !== startHash(spec);
}

/** The way back from a change that failed. */
export class Undoing {
  readonly #inventory: Inventory;
  readonly #writing: Writing;
  readonly #starting: Starting;

  constructor(inventory: Inventory, writing: Writing, starting: Starting) {
    this.#inventory = inventory;
    this.#writing = writing;
    this.#starting = starting;
  }

  /**
   * A changed server that does not come up gets its previous version back, once; a new one is left stopped, and so is one
   * that missed its start-timeout.
   */
  async back(failed: UnSettled, begun: Begun, options: PerformOptions): Promise<PerformResult> {
    const { message, help, isLate } = failed;
    const lastLines = await begun.output.lastLines(failed.failedRun);
    const { rollback = true, waitMs, signal } = options;
    const told = { ok: false as const, lastLines, ...withoutUndefined({ help }) };
    if (signal.aborted) return { ...told, message };
    const undone = async () => {
      const isLeft = isLate ? await this.#endLate(message, begun) : "";
      return rollback && waitMs !== 0 ? (await this.#undo(message, begun, options)) || isLeft : isLeft;
    };
    const after = await undone().catch((error) => {
      if (!(error instanceof ServiceError)) throw error;
      return `; and it cannot be put back: ${error.message}`;
    });
    return { ...told, message: `${message}${after}` };
  }

  async #endLate(message: string, { record, unit }: Begun): Promise<string> {
    const { manager, store } = this.#inventory;
    // A person's start or stop in the meantime counts more, and what it started is another process.
    if (!this.#starting.mayRun(record.spec)) return "";
    await end(manager, unit);
    store.update(record.spec.name, (now) => ({ ...now, rests: { at: Date.now(), reason: message } }));
    return "; it is left stopped";
  }

  async #undo(
    message: string,
    { before, unrecorded, record, unit }: Begun,
    options: PerformOptions,
  ): Promise<string> {
    const { manager, store } = this.#inventory;
    const { name } = record.spec;
    // It was told to stop, so nobody knows whether the new version works.
    if (!this.#starting.mayRun(record.spec)) return "";
    if (before === undefined) return unrecorded ? "" : this.#leaveStopped(message, record, unit);
    if (!isOther(before, record)) return "";
    const now = (await this.#inventory.known([name])).get(name);
    const outdated = now && outdatedBy(before.record.spec, now);
    const { outdated: _, launched: __, restored: ___, ...kept } = before.record;
    const isMoved = kept.file !== record.file || kept.spec.class !== record.spec.class;
    if (isMoved) {
      await end(manager, unit);
      await manager.forget(unit);
    }
    const old: UnitRecord = {
      ...kept,
      ...(record.site && !isMoved ? { site: record.site } : {}),
      operator: store.read(name)?.operator ?? null,
      unfinished: true,
      restored: { at: Date.now(), because: message },
      ...withoutUndefined({ outdated }),
    };
    const oldUnit = this.#inventory.unitOf(await this.#writing.write(old));
    await manager.load(oldUnit);
    await end(manager, oldUnit);
    if (before.live.pid === undefined || !oldUnit.enabled || !this.#starting.mayRun(old.spec))
      return "; its previous version is put back; it does not run, as before";
    const output = new Output(manager, oldUnit, old, Date.now());
    try {
      await manager.start(oldUnit);
      await this.#starting.launched(oldUnit);
      this.#starting.finish(name);
      const settled = await this.#starting.settle(old, oldUnit, output, options, false);
      return settled.ok
        ? `; its previous version is put back: ${settled.detail}`
        : `; its previous version is put back, but does not start either: ${settled.message}`;
    } finally {
      output.close();
    }
  }

  async #leaveStopped(message: string, { spec }: UnitRecord, unit: Unit): Promise<string> {
    const { manager, store } = this.#inventory;
    const live = (await manager.look([unit])).get(spec.name);
    // One that stopped by itself is left alone: its manager knows how it ended.
    if (live?.state === "failed" || (live?.state === "stopped" && live.lastExit !== undefined)) return "";
    await end(manager, unit);
    store.update(spec.name, (now) => ({
      ...now,
      rests: { at: Date.now(), reason: `an apply left it stopped: ${message}` },
    }));
    return "; it is left stopped";
  }
}
