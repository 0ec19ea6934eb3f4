import * as fs from "node:fs";
import { dirname } from "node:path";
import { startHash } from "../../model/canonical.ts";
import type { Change } from "../../model/plan.ts";
import type { ProcessId } from "../../model/process.ts";
import type { SecretValues, ServerSpec } from "../../model/spec.ts";
import { mayRun } from "../../model/wanted.ts";
import { writeAtomic } from "../../system/files.ts";
import { ensureDir, ensurePrivateDir } from "../../system/paths.ts";
import { identify, isRunning } from "../../system/processes.ts";
import type { PerformOptions, PerformResult } from "../backend.ts";
import { secretNames, shellSecrets } from "../render/unit.ts";
import { ServiceError } from "../service.ts";
import { type Inventory, type Known, runningHashOf } from "./inventory.ts";
import type { Unit } from "./manager.ts";
import { type UnitRecord, valuesFor } from "./record.ts";
import { Output, type Settled, settle } from "./settle.ts";

/** Carries out changes of a plan on servers that run as units. */
export class Changing {
  readonly #inventory: Inventory;
  readonly #adopt: boolean;

  constructor(inventory: Inventory, { adopt }: { readonly adopt: boolean }) {
    this.#inventory = inventory;
    this.#adopt = adopt;
  }

  async remove(server: string): Promise<PerformResult> {
    const { manager, store } = this.#inventory;
    const known = (await this.#inventory.known([server])).get(server);
    const unit =
      known?.unit ?? this.#inventory.unrecorded(new Set()).find(({ spec }) => spec.name === server);
    if (unit === undefined) return { ok: true, detail: "there was nothing of it" };
    const obstacle = this.obstacle(unit.file);
    if (obstacle !== undefined) return failure(obstacle);
    await manager.stop(unit);
    await manager.forget(unit);
    store.remove(server);
    return { ok: true, detail: "stopped and removed" };
  }

  async take(change: Change, options: PerformOptions): Promise<PerformResult> {
    const { desired: spec, server, action } = change;
    if (spec === undefined) throw new Error(`change of ${server} names nothing to apply`);
    const { manager } = this.#inventory;
    const before = (await this.#inventory.known([server])).get(server);
    const operator = before?.record.operator ?? (change.held ? "stop" : null);
    const begins = mayRun(spec, { operator }) && action !== "update" && action !== "stop";
    const fault = this.#faultOf(spec, options.secrets) ?? (begins ? programFault(spec) : undefined);
    if (fault !== undefined) return failure(fault);
    const record = await this.#next(spec, operator, before, options.secrets);
    const unit = this.#inventory.unitOf(record);
    const output = new Output(manager, unit, record, Date.now());
    try {
      await this.write(record);
      await manager.takeBack?.(unit);
      await manager.load(unit);
      if (!begins) return await this.#rest(action, before, record, unit);
      if (action === "restart") await manager.restart(unit);
      else await manager.start(unit);
      if (options.waitMs === 0) return { ok: true, detail: action === "restart" ? "restarted" : "started" };
      const settled = await this.#settle(record, unit, output, options);
      if (settled.ok) return { ok: true, detail: settled.detail };
      if (options.signal.aborted) return INTERRUPTED;
      return await this.#back(settled.message, { before, record, unit, output }, options);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return await this.#back(error.message, { before, record, unit, output }, options);
    } finally {
      output.close();
    }
  }

  /** Why a unit's file must not be written; undefined when nothing is in the way. */
  obstacle(path: string): string | undefined {
    if (this.#adopt || this.#inventory.fileAt(path).is !== "foreign") return undefined;
    return `cannot write ${path}: xy has not written what is there; move it away, or say --adopt to replace it`;
  }

  /** The record first: whatever comes after it, the next plan sees what was meant. */
  async write(record: UnitRecord): Promise<void> {
    const { name } = record.spec;
    const { manager, store } = this.#inventory;
    const earlier = store.read(name);
    store.write(record);
    store.writeSecrets(name, record.secrets, manager.secrets?.text ?? shellSecrets);
    if (!manager.keepsOutput) ensurePrivateDir(store.dir);
    if (earlier && earlier.file !== record.file) await this.#leave(earlier, record);
    const file = this.#inventory.fileAt(record.file);
    if (file.is === "linked") fs.rmSync(record.file);
    else if (file.text === record.text) return;
    try {
      ensureDir(dirname(record.file));
      writeAtomic(record.file, record.text, { mode: 0o644, durable: true });
    } catch (error) {
      throw new ServiceError(`cannot write ${record.file}: ${(error as Error).message}`);
    }
  }

  /** The unit lies elsewhere now; with another manager than before, when it is another's of the machine. */
  async #leave(earlier: UnitRecord, { spec }: UnitRecord): Promise<void> {
    const { manager } = this.#inventory;
    if (earlier.spec.class === spec.class) return fs.rmSync(earlier.file, { force: true });
    const unit = this.#inventory.unitOf(earlier);
    await manager.stop(unit);
    await manager.forget(unit);
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
    await manager.stop(unit);
    if (ran) store.update(record.spec.name, (now) => ({ ...now, rests: { at: Date.now() } }));
    if (action === "stop" || ran) return { ok: true, detail: "stopped" };
    return { ok: true, detail: action === "add" ? "added, and not started" : "changed" };
  }

  async #settle(record: UnitRecord, unit: Unit, output: Output, options: PerformOptions): Promise<Settled> {
    const { until = "ready", waitMs: bound, signal } = options;
    const { manager, store } = this.#inventory;
    const settled = await settle({ manager, unit, record, output, until, bound, dir: store.dir, signal });
    if (settled.ok && settled.ready) {
      const { ready } = settled;
      store.update(record.spec.name, (now) => ({ ...now, ready }));
    }
    return settled;
  }

  /** A changed server that does not come up is put back to what it was, once; a new one is left stopped. */
  async #back(message: string, now: Begun, options: PerformOptions): Promise<PerformResult> {
    const lastLines = await now.output.lastLines();
    if (options.rollback === false || options.waitMs === 0 || options.signal.aborted)
      return { ok: false, message, lastLines };
    const told = await this.#undo(message, now, options).catch((error) => {
      if (!(error instanceof ServiceError)) throw error;
      return `; and it cannot be put back: ${error.message}`;
    });
    return { ok: false, message: `${message}${told}`, lastLines };
  }

  async #undo(message: string, { before, record, unit }: Begun, options: PerformOptions): Promise<string> {
    const { manager } = this.#inventory;
    if (before === undefined) return this.#leaveStopped(message, record, unit);
    if (startHash(before.record.spec) === startHash(record.spec)) return "";
    const old: UnitRecord = { ...before.record, operator: record.operator };
    const oldUnit = this.#inventory.unitOf(old);
    await this.write(old);
    await manager.load(oldUnit);
    if (before.live.pid === undefined || !oldUnit.enabled) {
      await manager.stop(oldUnit);
      return "; its previous version is put back, and does not run, as before";
    }
    const output = new Output(manager, oldUnit, old, Date.now());
    try {
      await manager.restart(oldUnit);
      const settled = await this.#settle(old, oldUnit, output, options);
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
    await manager.stop(unit);
    store.update(spec.name, (now) => ({ ...now, rests: { at: Date.now(), reason: message } }));
    return "; it is left stopped";
  }

  /** What of a server this manager cannot take: its texts, a secret that is not here, a file that is another's. */
  #faultOf(spec: ServerSpec, secrets: SecretValues): string | undefined {
    const { manager } = this.#inventory;
    const [fault] = manager.format.faults(this.#inventory.facts(spec, true));
    if (fault) return fault.message;
    for (const name of secretNames(spec)) {
      const value = secrets[name];
      if (value === undefined)
        return `cannot apply ${spec.name}: the value of the secret ${name} is not here`;
      const why = manager.secrets?.fault(value);
      if (why !== undefined)
        return `cannot write env.${name} for ${manager.kind}: ${why}; change it, or run this server with the agent`;
    }
    return this.obstacle(manager.fileOf(spec));
  }

  /** What is recorded from now on. */
  async #next(
    spec: ServerSpec,
    operator: UnitRecord["operator"],
    before: Known | undefined,
    secrets: SecretValues,
  ): Promise<UnitRecord> {
    const outdated = before && outdatedBy(spec, before);
    const ready = before?.record.ready;
    return {
      version: 1,
      spec,
      secrets: valuesFor(spec, secrets),
      file: this.#inventory.manager.fileOf(spec),
      text: await this.#inventory.textOf({ spec, operator }),
      operator,
      ...(outdated ? { outdated } : {}),
      ...(ready && isRunning(ready.process) ? { ready } : {}),
    };
  }
}

interface Begun {
  readonly before: Known | undefined;
  readonly record: UnitRecord;
  readonly unit: Unit;
  readonly output: Output;
}

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
    fs.accessSync(program, fs.constants.X_OK);
    return undefined;
  } catch {
    return `cannot start ${name}: ${program} is not there, or not an executable file`;
  }
}

/** The process that runs with what was declared before, when that is something else. */
function outdatedBy(
  spec: ServerSpec,
  { record, live }: Known,
): { process: ProcessId; hash: string } | undefined {
  const process = live.pid === undefined ? undefined : identify(live.pid);
  if (process === undefined) return undefined;
  const hash = runningHashOf(record, live);
  return hash === startHash(spec) ? undefined : { process, hash };
}
