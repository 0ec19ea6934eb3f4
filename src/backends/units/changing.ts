import * as fs from "node:fs";
import { dirname } from "node:path";
import type { Change } from "../../model/plan.ts";
import { mayRun } from "../../model/wanted.ts";
import { removeDrafts } from "../../system/files.ts";
import { ServiceError, UnreadUnit } from "../ask.ts";
import type { PerformOptions, PerformResult } from "../backend.ts";
import { end } from "./ending.ts";
import type { Inventory, Known } from "./inventory.ts";
import type { Unit } from "./manager.ts";
import { Output } from "./output.ts";
import type { UnitRecord } from "./record.ts";
import { HELD } from "./settle.ts";
import type { Starting } from "./starting.ts";
import { type Begun, isOther, Undoing, type Work } from "./undoing.ts";
import { programFault, type Writing } from "./writing.ts";

/** Carries out changes of a plan on servers that run as units. */
export class Changing {
  readonly #inventory: Inventory;
  readonly #writing: Writing;
  readonly #starting: Starting;
  readonly #undoing: Undoing;

  constructor(inventory: Inventory, writing: Writing, starting: Starting) {
    this.#inventory = inventory;
    this.#writing = writing;
    this.#starting = starting;
    this.#undoing = new Undoing(inventory, writing, starting);
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
    // Read again each time: a person may start or stop it while the manager is busy.
    const said = () => store.read(server)?.operator ?? (change.held ? "stop" : null);
    const isToBegin = () => mayRun(spec, { operator: said() }) && action !== "update" && action !== "stop";
    const fault =
      this.#writing.faultOf(spec, options.secrets) ?? (isToBegin() ? programFault(spec) : undefined);
    if (fault !== undefined) return failure(fault);
    if (before?.live.isElsewhere) await this.#leave(before);
    const [operator, begins] = [said(), isToBegin()];
    const record = await this.#writing.next(spec, operator, before, options.secrets);
    const result = await this.#carryOut({ action, begins, before, unrecorded, record }, options);
    this.#starting.finish(server);
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
      if (!this.#starting.mayRun(record.spec)) return failure(HELD);
      begun = { ...work, unit, output: new Output(manager, unit, record, Date.now()) };
      await manager.start(unit);
      await this.#starting.launched(unit);
      // From here on this only waits.
      this.#starting.finish(unit.spec.name);
      if (options.waitMs === 0) return { ok: true, detail: action === "restart" ? "restarted" : "started" };
      const putsBack =
        (options.rollback ?? true) && before?.live.pid !== undefined && isOther(before, record);
      const settled = await this.#starting.settle(record, unit, begun.output, options, putsBack);
      if (settled.ok) return { ok: true, detail: settled.detail };
      if (options.signal.aborted) return INTERRUPTED;
      return await this.#undoing.back(settled, begun, options);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error instanceof UnreadUnit && before === undefined) {
        this.#takeAway(unit);
        if (isNewFolder && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
        return failure(error.message);
      }
      begun ??= { ...work, unit, output: new Output(manager, unit, record, Date.now()) };
      return await this.#undoing.back({ ok: false, message: error.message }, begun, options);
    } finally {
      begun?.output.close();
    }
  }

  /** Removes what was written for a new server whose file the manager does not read: nobody would ever find it. */
  #takeAway(unit: Unit): void {
    const { manager, store } = this.#inventory;
    manager.discard?.(unit);
    removeDrafts(unit.file);
    store.remove(unit.spec.name);
  }

  #unrecorded(server: string): Unit | undefined {
    return this.#inventory.unrecorded(new Set()).find(({ spec }) => spec.name === server);
  }

  /** Stops it where it is loaded now: that is not where it belongs any more. */
  async #leave({ record, unit }: Known): Promise<void> {
    const { manager } = this.#inventory;
    await end(manager, unit);
    if (record.file !== manager.fileOf(record.spec)) await manager.forget(unit);
  }

  /** Removes the unit's earlier file: it has a new place, and is loaded from there. */
  async #leaveFile(before: Known | undefined, { leaves, spec }: UnitRecord): Promise<void> {
    const { manager, store } = this.#inventory;
    if (leaves === undefined) return;
    if (before && before.record.spec.class !== spec.class) {
      // The other systemd, or the other launchd domain, had it.
      await end(manager, before.unit);
      await manager.forget(before.unit);
    }
    fs.rmSync(leaves, { force: true });
    store.update(spec.name, ({ leaves: _, ...rest }) => rest);
  }

  /** A change that starts nothing: it is changed in place, or stopped. */
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
    return { ok: true, detail: action === "add" ? "added, not started" : "changed" };
  }
}

const whyAtRest = ({ operator }: UnitRecord) =>
  operator === "stop" ? "its operator holds it" : "its configuration wants it stopped";

/** Its manager is about to start it by itself, and would delay a start until then. */
const isComing = (before: Known | undefined) => before?.live.state === "restarting";

export const INTERRUPTED: PerformResult = {
  ok: false,
  message: "interrupted; what was started continues",
  lastLines: [],
  interrupted: true,
};

export const failure = (message: string): PerformResult => ({ ok: false, message, lastLines: [] });
