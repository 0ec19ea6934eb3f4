import * as fs from "node:fs";
import { dirname } from "node:path";
import { startHash } from "../../model/canonical.ts";
import { patienceFor } from "../../model/patience.ts";
import type { Change } from "../../model/plan.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { startTimeoutOf } from "../../model/start.ts";
import { mayRun } from "../../model/wanted.ts";
import { removeDrafts } from "../../system/files.ts";
import { identify } from "../../system/processes.ts";
import { ServiceError, UnreadUnit } from "../ask.ts";
import type { PerformOptions, PerformResult } from "../backend.ts";
import { end } from "./ending.ts";
import type { Inventory, Known } from "./inventory.ts";
import type { Unit } from "./manager.ts";
import { Output } from "./output.ts";
import type { UnitRecord } from "./record.ts";
import { HELD, noteSettled, type Settled, settle, type UnSettled } from "./settle.ts";
import { outdatedBy, type Writing } from "./writing.ts";

/** Carries out changes of a plan on servers that run as units. */
export class Changing {
  readonly #inventory: Inventory;
  readonly #writing: Writing;

  constructor(inventory: Inventory, writing: Writing) {
    this.#inventory = inventory;
    this.#writing = writing;
  }

  async remove(server: string): Promise<PerformResult> {
    const { manager, store } = this.#inventory;
    const known = (await this.#inventory.known([server])).get(server);
    const unit = known?.unit ?? this.#unrecorded(server);
    if (unit === undefined) return { ok: true, detail: "there was nothing to remove" };
    const obstacle = this.#writing.obstacle(unit.file, "remove");
    if (obstacle !== undefined) return failure(obstacle);
    await end(manager, unit);
    await manager.takeBack?.(unit);
    await manager.forget(unit);
    removeDrafts(unit.file);
    store.remove(server);
    return { ok: true, detail: "stopped and removed" };
  }

  async take(change: Change, options: PerformOptions): Promise<PerformResult> {
    const { desired: spec, server, action } = change;
    if (spec === undefined) throw new Error(`change of ${server} names nothing to apply`);
    const { store } = this.#inventory;
    const before = (await this.#inventory.known([server])).get(server);
    const unrecorded = before ? undefined : this.#unrecorded(server);
    // Read anew each time: a person may say something while the manager is asked.
    const said = () => store.read(server)?.operator ?? (change.held ? "stop" : null);
    const isToBegin = () => mayRun(spec, { operator: said() }) && action !== "update" && action !== "stop";
    const fault =
      this.#writing.faultOf(spec, options.secrets) ?? (isToBegin() ? programFault(spec) : undefined);
    if (fault !== undefined) return failure(fault);
    if (before?.live.isElsewhere) await this.#leave(before);
    const [operator, begins] = [said(), isToBegin()];
    const record = await this.#writing.next(spec, operator, before, options.secrets);
    const result = await this.#carryOut({ action, begins, before, unrecorded, record }, options);
    this.#finish(server);
    return result;
  }

  async #carryOut(work: Work, options: PerformOptions): Promise<PerformResult> {
    const { manager } = this.#inventory;
    const { action, begins, before, unrecorded } = work;
    const record = begins ? { ...work.record, sawReady: false } : work.record;
    const folder = dirname(record.file);
    const isNewFolder = !fs.existsSync(folder);
    const written = await this.#writing.write(record);
    const unit = this.#inventory.unitOf(written);
    let begun: Begun | undefined;
    try {
      if (before === undefined || before.live.drift.length > 0) await manager.takeBack?.(unit);
      await manager.load(unit);
      await this.#leaveFile(before, record);
      if (!begins) return await this.#rest(action, before, record, unit);
      if (action === "restart" || unrecorded || isOther(before, record) || isComing(before))
        await end(manager, unit);
      if (!this.#mayRun(record.spec)) return failure(HELD);
      begun = { ...work, unit, output: new Output(manager, unit, record, Date.now()) };
      await manager.start(unit);
      await this.launched(unit);
      // What follows is only waited for.
      this.#finish(unit.spec.name);
      if (options.waitMs === 0) return { ok: true, detail: action === "restart" ? "restarted" : "started" };
      const putsBack =
        (options.rollback ?? true) && before?.live.pid !== undefined && isOther(before, record);
      const settled = await this.#settle(record, unit, begun.output, options, putsBack);
      if (settled.ok) return { ok: true, detail: settled.detail };
      if (options.signal.aborted) return INTERRUPTED;
      return await this.#back(settled, begun, options);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error instanceof UnreadUnit && before === undefined) {
        this.#takeAway(unit);
        if (isNewFolder && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
        return failure(error.message);
      }
      begun ??= { ...work, unit, output: new Output(manager, unit, record, Date.now()) };
      return await this.#back({ ok: false, message: error.message }, begun, options);
    } finally {
      begun?.output.close();
    }
  }

  /** What was written of a new server that its manager does not read: nobody would ever find it. */
  #takeAway(unit: Unit): void {
    const { manager, store } = this.#inventory;
    manager.discard?.(unit);
    removeDrafts(unit.file);
    store.remove(unit.spec.name);
  }

  /** As a person has it by now: what came before may have taken the whole grace. */
  #mayRun(spec: ServerSpec): boolean {
    return mayRun(spec, { operator: this.#inventory.store.read(spec.name)?.operator ?? null });
  }

  #finish(server: string): void {
    this.#inventory.store.update(server, (record) => {
      const { unfinished, ...whole } = record;
      return unfinished === undefined ? record : whole;
    });
  }

  /** Remembers the process that was started from what was just written: whatever comes later, it is right. */
  async launched(unit: Unit): Promise<void> {
    const { manager, store } = this.#inventory;
    const { name } = unit.spec;
    const pid = (await manager.look([unit])).get(name)?.pid;
    const process = pid === undefined ? undefined : identify(pid);
    if (process) store.update(name, (now) => ({ ...now, launched: process }));
  }

  #unrecorded(server: string): Unit | undefined {
    return this.#inventory.unrecorded(new Set()).find(({ spec }) => spec.name === server);
  }

  /** It is loaded by somebody else than it would be now. */
  async #leave({ record, unit }: Known): Promise<void> {
    const { manager } = this.#inventory;
    await end(manager, unit);
    if (record.file !== manager.fileOf(record.spec)) await manager.forget(unit);
  }

  /** The unit lies elsewhere now, and is loaded from there. */
  async #leaveFile(before: Known | undefined, { leaves, spec }: UnitRecord): Promise<void> {
    const { manager, store } = this.#inventory;
    if (leaves === undefined) return;
    if (before && before.record.spec.class !== spec.class) {
      // Another manager of the machine had it.
      await end(manager, before.unit);
      await manager.forget(before.unit);
    }
    fs.rmSync(leaves, { force: true });
    store.update(spec.name, ({ leaves: _, ...rest }) => rest);
  }

  /** What does not begin: changed in place, or brought to rest. */
  async #rest(
    action: Change["action"],
    before: Known | undefined,
    record: UnitRecord,
    unit: Unit,
  ): Promise<PerformResult> {
    if (mayRun(record.spec, record)) return { ok: true, detail: "changed in place" };
    const { manager, store } = this.#inventory;
    const ran = before?.live.pid !== undefined;
    await end(manager, unit);
    if (ran)
      store.update(record.spec.name, (now) => ({
        ...now,
        rests: { at: Date.now(), reason: `an apply stopped it: ${whyAtRest(record)}` },
      }));
    if (action === "stop" || ran) return { ok: true, detail: "stopped" };
    return { ok: true, detail: action === "add" ? "added, and not started" : "changed" };
  }

  /** `putsBack`: a version that ran comes back when this one does not come up. */
  async #settle(
    record: UnitRecord,
    unit: Unit,
    output: Output,
    options: PerformOptions,
    putsBack: boolean,
  ): Promise<Settled> {
    const { until = "ready", waitMs, signal, progress: tell } = options;
    const { manager, store } = this.#inventory;
    const { spec } = record;
    const isWanted = () => this.#mayRun(spec);
    const patience = patienceFor(waitMs, spec, { putsBack });
    const startTimeout = startTimeoutOf(spec);
    const { dir } = store;
    const wait = {
      manager,
      unit,
      record,
      output,
      until,
      patience,
      startTimeout,
      tell,
      dir,
      isWanted,
      signal,
    };
    const settled = await settle(wait);
    if (settled.ok) noteSettled(store, spec.name, settled);
    return settled;
  }

  /**
   * A changed server that does not come up is put back to what it was, once; a new one is left stopped, and so is a
   * process that missed its start-timeout.
   */
  async #back(failed: UnSettled, begun: Begun, options: PerformOptions): Promise<PerformResult> {
    const { message, help, isLate } = failed;
    const lastLines = await begun.output.lastLines(failed.failedRun);
    const { rollback = true, waitMs, signal } = options;
    const told = { ok: false as const, lastLines, ...(help ? { help } : {}) };
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
    // A person's word that came meanwhile is not overruled by it, and what that started is another process.
    if (!this.#mayRun(record.spec)) return "";
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
    // It was told to rest, and has not shown what the new version is worth.
    if (!this.#mayRun(record.spec)) return "";
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
      ...(outdated ? { outdated } : {}),
    };
    const oldUnit = this.#inventory.unitOf(await this.#writing.write(old));
    await manager.load(oldUnit);
    await end(manager, oldUnit);
    if (before.live.pid === undefined || !oldUnit.enabled || !this.#mayRun(old.spec))
      return "; its previous version is put back, and does not run, as before";
    const output = new Output(manager, oldUnit, old, Date.now());
    try {
      await manager.start(oldUnit);
      await this.launched(oldUnit);
      this.#finish(name);
      const settled = await this.#settle(old, oldUnit, output, options, false);
      return settled.ok
        ? `; its previous version is put back: ${settled.detail}`
        : `; its previous version is put back, and does not come up either: ${settled.message}`;
    } finally {
      output.close();
    }
  }

  async #leaveStopped(message: string, { spec }: UnitRecord, unit: Unit): Promise<string> {
    const { manager, store } = this.#inventory;
    const live = (await manager.look([unit])).get(spec.name);
    // One that has come to rest by itself is left so: its manager knows how.
    if (live?.state === "failed" || (live?.state === "stopped" && live.lastExit !== undefined)) return "";
    await end(manager, unit);
    store.update(spec.name, (now) => ({
      ...now,
      rests: { at: Date.now(), reason: `an apply left it stopped: ${message}` },
    }));
    return "; it is left stopped";
  }
}

const whyAtRest = ({ operator }: UnitRecord) =>
  operator === "stop" ? "its operator holds it" : "its configuration wants it stopped";

/** A change of one server, and what there was of it. */
interface Work {
  readonly action: Change["action"];
  /** Something is to be started. */
  readonly begins: boolean;
  readonly before: Known | undefined;
  /** A unit of which there was no record. */
  readonly unrecorded: Unit | undefined;
  readonly record: UnitRecord;
}

interface Begun extends Work {
  readonly unit: Unit;
  readonly output: Output;
}

/** What a process gets at its start differs from what was recorded before. */
function isOther(before: Known | undefined, { spec }: UnitRecord): boolean {
  return before !== undefined && startHash(before.record.spec) !== startHash(spec);
}

/** Its manager is about to start it by itself, and would have a start wait for that. */
const isComing = (before: Known | undefined) => before?.live.state === "restarting";

export const INTERRUPTED: PerformResult = {
  ok: false,
  message: "interrupted; what was begun goes on",
  lastLines: [],
  interrupted: true,
};

export const failure = (message: string): PerformResult => ({ ok: false, message, lastLines: [] });

/** Managers tell of it in ways of their own, and some try for ever. */
function programFault({ program, name }: ServerSpec): string | undefined {
  try {
    if (fs.statSync(program).isFile()) {
      fs.accessSync(program, fs.constants.X_OK);
      return undefined;
    }
  } catch {
    // Said below, whatever it is.
  }
  return `cannot start ${name}: ${program} is not there, or not an executable file`;
}
