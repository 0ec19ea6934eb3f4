import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { startHash } from "../../model/canonical.ts";
import type { Observed } from "../../model/observed.ts";
import type { Change, UnitChange } from "../../model/plan.ts";
import type { ProcessId } from "../../model/process.ts";
import { Redactor } from "../../model/redact.ts";
import { restingSpec } from "../../model/resting-spec.ts";
import type { SecretValues, ServerSpec } from "../../model/spec.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { mayRun } from "../../model/wanted.ts";
import { writeAtomic } from "../../system/files.ts";
import { ensureDir, ensurePrivateDir } from "../../system/paths.ts";
import { identify, isRunning } from "../../system/processes.ts";
import type { Backend, PerformOptions, PerformResult, Remark } from "../backend.ts";
import { lossesOf } from "../render/losses.ts";
import { secretNames, type UnitFacts, unitName } from "../render/unit.ts";
import { ServiceError } from "../service.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";
import { glanceAt, healthOf } from "./readiness.ts";
import { type UnitRecord, type UnitStore, valuesFor } from "./record.ts";
import { Output, type Settled, settle } from "./settle.ts";
import { UnitFile } from "./unit-file.ts";

export interface UnitWorld {
  readonly manager: UnitManager;
  readonly store: UnitStore;
  readonly project: string;
  readonly account: { readonly home: string; readonly user: string };
  /** Take over files of a unit's name that xy has not written. */
  readonly adopt: boolean;
}

/** A server as it is recorded, and how its unit's file and its manager have it. */
export interface Known {
  readonly record: UnitRecord;
  readonly unit: Unit;
  readonly live: Live;
}

/** The servers of one project that run as units of one service manager. */
export class UnitBackend implements Backend {
  readonly kind: UnitManager["kind"];
  /** A manager starts what it is told to start. */
  readonly waits = false;
  readonly manager: UnitManager;
  readonly store: UnitStore;
  readonly #project: string;
  readonly #account: UnitWorld["account"];
  readonly #adopt: boolean;

  constructor({ manager, store, project, account, adopt }: UnitWorld) {
    this.kind = manager.kind;
    this.manager = manager;
    this.store = store;
    this.#project = project;
    this.#account = account;
    this.#adopt = adopt;
  }

  check(spec: ServerSpec): readonly Remark[] {
    const { faults } = this.manager.format;
    const losses = lossesOf(spec, this.kind, true);
    return [
      ...faults(this.#facts(spec, true)).map((fault) => ({ severity: "error" as const, ...fault })),
      ...losses.map(({ message }) => ({ severity: "warning" as const, path: [], message })),
    ];
  }

  reach(): Promise<void> {
    return this.manager.reach();
  }

  async close(): Promise<void> {
    this.manager.close();
  }

  async observe(project: string): Promise<readonly Observed[]> {
    if (project !== this.#project) return [];
    const known = await this.known(this.store.names());
    const recorded = await Promise.all([...known.values()].map((each) => this.#observed(each)));
    const unrecorded = this.#unrecorded(new Set(known.keys()));
    return [...recorded, ...(await this.#observeUnrecorded(unrecorded))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  /** Those of the servers that have a record, by name. */
  async known(names: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    const records = names.flatMap((name) => this.store.read(name) ?? []);
    const units = records.map((record) => ({ record, unit: this.#unitOf(record) }));
    const live = await this.manager.look(units.map(({ unit }) => unit));
    return new Map(
      units.map(({ record, unit }) => {
        const { name } = record.spec;
        return [name, { record, unit, live: live.get(name) ?? UNKNOWN }];
      }),
    );
  }

  async unitChange({ desired, observed, held, action }: Change): Promise<UnitChange | undefined> {
    if (desired === undefined || desired.wanted === "ignore" || action === "remove") return undefined;
    const operator = observed?.operator ?? (held ? "stop" : null);
    const facts = this.#facts(desired, mayRun(desired, { operator }));
    if (this.manager.format.faults(facts).length > 0) return undefined;
    const file = this.manager.fileOf(desired);
    const to = await this.manager.format.render(facts);
    const record = this.store.read(desired.name);
    const from = new UnitFile(file, this.manager.format).text;
    if (from === to) return undefined;
    const shown = from === undefined ? {} : { from: new Redactor(record?.secrets ?? {}).text(from) };
    return { file, ...shown, to };
  }

  /** Whose file stands where the unit of this server has to go; undefined when nothing is in the way. */
  foreignFile(spec: ServerSpec): string | undefined {
    const file = new UnitFile(this.manager.fileOf(spec), this.manager.format);
    return !this.#adopt && file.is === "foreign" ? file.path : undefined;
  }

  async perform(change: Change, options: PerformOptions): Promise<PerformResult> {
    if (change.action === "none") return { ok: true, detail: "unchanged" };
    try {
      if (options.signal.aborted) return INTERRUPTED;
      return change.action === "remove" ? await this.#remove(change) : await this.#take(change, options);
    } catch (error) {
      if (error instanceof ServiceError || error instanceof BackendUnreachable) return failure(error.message);
      throw error;
    }
  }

  async #remove({ server }: Change): Promise<PerformResult> {
    const known = (await this.known([server])).get(server);
    const unit = known?.unit ?? this.#unrecorded(new Set()).find(({ spec }) => spec.name === server);
    if (unit === undefined) return { ok: true, detail: "there was nothing of it" };
    const file = new UnitFile(unit.file, this.manager.format);
    if (file.is === "foreign" && !this.#adopt) return failure(foreignMessage(unit.file));
    await this.manager.stop(unit);
    await this.manager.forget(unit);
    this.store.remove(server);
    return { ok: true, detail: "stopped and removed" };
  }

  async #take(change: Change, options: PerformOptions): Promise<PerformResult> {
    const { desired: spec, server, action } = change;
    if (spec === undefined) throw new Error(`change of ${server} names nothing to apply`);
    const before = (await this.known([server])).get(server);
    const record = await this.#next(change, before, options.secrets);
    const begins = mayRun(spec, record) && action !== "update" && action !== "stop";
    const fault = this.#faultOf(spec, options.secrets) ?? (begins ? programFault(spec) : undefined);
    if (fault !== undefined) return failure(fault);
    const since = Date.now();
    const unit = this.#unitOf(record);
    const output = new Output(this.manager, unit, record, since);
    try {
      await this.#write(record);
      await this.manager.load(unit);
      if (!begins) return await this.#rest(action, before, record, unit);
      if (action === "restart") await this.manager.restart(unit);
      else await this.manager.start(unit);
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

  /** What does not begin: changed in place, or brought to rest. */
  async #rest(
    action: Change["action"],
    before: Known | undefined,
    record: UnitRecord,
    unit: Unit,
  ): Promise<PerformResult> {
    if (mayRun(record.spec, record)) return { ok: true, detail: "changed in place" };
    const ran = before?.live.pid !== undefined;
    await this.manager.stop(unit);
    if (ran) this.store.update(record.spec.name, (now) => ({ ...now, rests: { at: Date.now() } }));
    if (action === "stop" || ran) return { ok: true, detail: "stopped" };
    return { ok: true, detail: action === "add" ? "added, and not started" : "changed" };
  }

  async #settle(record: UnitRecord, unit: Unit, output: Output, options: PerformOptions): Promise<Settled> {
    const { until = "ready", waitMs: bound, signal } = options;
    const { manager } = this;
    const settled = await settle({
      manager,
      unit,
      record,
      output,
      until,
      bound,
      dir: this.store.dir,
      signal,
    });
    if (settled.ok && settled.ready) {
      const { ready } = settled;
      this.store.update(record.spec.name, (now) => ({ ...now, ready }));
    }
    return settled;
  }

  /** A changed server that does not come up is put back to what it was, once; a new one is left stopped. */
  async #back(
    message: string,
    now: { before: Known | undefined; record: UnitRecord; unit: Unit; output: Output },
    options: PerformOptions,
  ): Promise<PerformResult> {
    const { before, record, unit, output } = now;
    const lastLines = await output.lastLines();
    if (options.rollback === false || options.waitMs === 0 || options.signal.aborted)
      return { ok: false, message, lastLines };
    const told = await this.#undo(message, before, record, unit, options).catch((error) => {
      if (!(error instanceof ServiceError)) throw error;
      return `; and it cannot be put back: ${error.message}`;
    });
    return { ok: false, message: `${message}${told}`, lastLines };
  }

  async #undo(
    message: string,
    before: Known | undefined,
    record: UnitRecord,
    unit: Unit,
    options: PerformOptions,
  ): Promise<string> {
    if (before === undefined) {
      const live = (await this.manager.look([unit])).get(record.spec.name);
      // One that has come to rest by itself is left so: its manager knows how.
      if (live?.state === "failed" || (live?.state === "stopped" && live.lastExit !== undefined)) return "";
      await this.manager.stop(unit);
      this.store.update(record.spec.name, (now) => ({ ...now, rests: { at: Date.now(), reason: message } }));
      return "; it is left stopped";
    }
    const isSame = startHash(before.record.spec) === startHash(record.spec);
    if (isSame) return "";
    const old: UnitRecord = { ...before.record, operator: record.operator };
    const oldUnit = this.#unitOf(old);
    await this.#write(old);
    await this.manager.load(oldUnit);
    if (before.live.pid === undefined || !oldUnit.enabled) {
      await this.manager.stop(oldUnit);
      return "; its previous version is put back, and does not run, as before";
    }
    const output = new Output(this.manager, oldUnit, old, Date.now());
    try {
      await this.manager.restart(oldUnit);
      const settled = await this.#settle(old, oldUnit, output, options);
      return settled.ok
        ? `; its previous version is put back: ${settled.detail}`
        : `; its previous version is put back, and does not come up either: ${settled.message}`;
    } finally {
      output.close();
    }
  }

  /** What of a server this manager cannot take: its texts, a secret that is not here, a file that is another's. */
  #faultOf(spec: ServerSpec, secrets: SecretValues): string | undefined {
    const [fault] = this.manager.format.faults(this.#facts(spec, true));
    if (fault) return fault.message;
    for (const name of secretNames(spec)) {
      const value = secrets[name];
      if (value === undefined)
        return `cannot apply ${spec.name}: the value of the secret ${name} is not here`;
      const why = this.manager.secretFault(value);
      if (why !== undefined)
        return `cannot write env.${name} for ${this.kind}: ${why}; change it, or run this server with the agent`;
    }
    const foreign = this.foreignFile(spec);
    return foreign === undefined ? undefined : foreignMessage(foreign);
  }

  /** What is recorded from now on. */
  async #next(
    { desired, held }: Change,
    before: Known | undefined,
    secrets: SecretValues,
  ): Promise<UnitRecord> {
    const spec = desired as ServerSpec;
    const operator = before?.record.operator ?? (held ? "stop" : null);
    const facts = this.#facts(spec, mayRun(spec, { operator }));
    const { faults, render } = this.manager.format;
    // What cannot be written is refused before anything is.
    const text = faults(facts).length > 0 ? "" : await render(facts);
    const outdated = before && outdatedBy(spec, before);
    const ready = before?.record.ready;
    return {
      version: 1,
      spec,
      secrets: valuesFor(spec, secrets),
      file: this.manager.fileOf(spec),
      text,
      operator,
      ...(outdated ? { outdated } : {}),
      ...(ready && isRunning(ready.process) ? { ready } : {}),
    };
  }

  /** The record first: whatever comes after it, the next plan sees what was meant. */
  async #write(record: UnitRecord): Promise<void> {
    const { name } = record.spec;
    const { manager, store } = this;
    const earlier = store.read(name);
    store.write(record);
    store.writeSecrets(name, record.secrets, (values) => manager.secretsText(values));
    if (!manager.keepsOutput) ensurePrivateDir(store.dir);
    if (earlier && earlier.file !== record.file) await manager.forget(this.#unitOf(earlier));
    const file = new UnitFile(record.file, manager.format);
    if (file.is === "linked") fs.rmSync(record.file);
    if (file.text === record.text) return;
    ensureDir(dirname(record.file));
    try {
      writeAtomic(record.file, record.text, { mode: 0o644, durable: true });
    } catch (error) {
      throw new ServiceError(`cannot write ${record.file}: ${(error as Error).message}`);
    }
  }

  /** The operator's word, with what follows from it for the unit's file. */
  async say(record: UnitRecord, operator: UnitRecord["operator"]): Promise<UnitRecord> {
    const { rests: _, ...rest } = record;
    const text = await this.manager.format.render(
      this.#facts(record.spec, mayRun(record.spec, { operator })),
    );
    const next = { ...rest, operator, text };
    await this.#write(next);
    await this.manager.load(this.#unitOf(next));
    return next;
  }

  /** Where the output of a server is, or how it is read. */
  logHint(name: string): string {
    if (!this.manager.keepsOutput) return this.store.logPaths(name).out;
    return `journalctl -t ${unitName({ project: this.#project, name })}`;
  }

  unitOf(record: UnitRecord): Unit {
    return this.#unitOf(record);
  }

  #unitOf(record: UnitRecord): Unit {
    const { spec, file, text } = record;
    const found = new UnitFile(file, this.manager.format);
    const enabled = mayRun(spec, record);
    const editedAt = found.text === text ? undefined : found.changedAt;
    return { spec, file, enabled, ...(editedAt === undefined ? {} : { editedAt }) };
  }

  #facts(spec: ServerSpec, enabled: boolean): UnitFacts {
    const { store, manager } = this;
    const secretsFile = secretNames(spec).length > 0 ? { secretsFile: store.secretsPath(spec.name) } : {};
    const logs = manager.keepsOutput ? {} : { logs: store.logPaths(spec.name) };
    return { spec, envFiles: [], ...this.#account, installed: { enabled, ...secretsFile, ...logs } };
  }

  async #observed({ record, unit, live }: Known): Promise<Observed> {
    const now = Date.now();
    const { spec, operator, rests } = record;
    const drift = [...fileDrift(record, this.manager), ...live.drift];
    const rewritten =
      drift.length === 0 &&
      record.text !== (await this.manager.format.render(this.#facts(spec, unit.enabled)));
    const runningHash = live.pid === undefined ? undefined : runningHashOf(record, live);
    const atRest = live.state === "stopped" && rests !== undefined;
    const lastExit = live.lastExit && (atRest ? { ...live.lastExit, requested: true } : live.lastExit);
    const reason = live.reason ?? (atRest ? rests.reason : endReason(live));
    const glance = await glanceAt(record, live, this.store.dir, now);
    return {
      name: spec.name,
      project: spec.project,
      backend: this.kind,
      spec,
      state: live.state,
      operator,
      since: (atRest ? rests.at : live.since) ?? live.startedAt ?? now,
      ready: glance.ready,
      healthy: healthOf(record, live, now),
      ...(glance.mcp ? { mcp: glance.mcp } : {}),
      ...(runningHash === undefined ? {} : { runningHash }),
      ...(live.pid === undefined ? {} : { pid: live.pid }),
      ...(live.startedAt === undefined ? {} : { startedAt: live.startedAt }),
      ...(live.restartCount === undefined ? {} : { restartCount: live.restartCount }),
      ...(lastExit ? { lastExit } : {}),
      ...(reason === undefined ? {} : { reason }),
      ...(drift.length === 0 ? {} : { drift: drift.join("; ") }),
      ...(rewritten ? { rewritten } : {}),
    };
  }

  /** Units of this project that xy has written, and of which it has no record: that was lost, or they were emitted. */
  #unrecorded(recorded: ReadonlySet<string>): Unit[] {
    const { format } = this.manager;
    const named = (name: string) => restingSpec(this.kind, this.#project, name);
    const folder = folderOf(() => this.manager.fileOf(named("x")));
    const [before = "", after = ""] = format.fileName(named("\u0000")).split("\u0000");
    return entriesOf(folder).flatMap((entry) => {
      const name = entry.slice(before.length, entry.length - after.length);
      if (!entry.startsWith(before) || !entry.endsWith(after) || name.includes(".") || recorded.has(name))
        return [];
      const file = join(folder, entry);
      const found = new UnitFile(file, format);
      return found.is === "ours" ? [{ spec: named(name), file, enabled: true }] : [];
    });
  }

  async #observeUnrecorded(units: readonly Unit[]): Promise<Observed[]> {
    const live = await this.manager.look(units);
    const now = Date.now();
    return units.map(({ spec: { name, project } }): Observed => {
      const { state, pid, startedAt } = live.get(name) ?? UNKNOWN;
      const unknown = { status: "unknown", evidence: "nothing is recorded of it", at: now } as const;
      return {
        name,
        project,
        backend: this.kind,
        state,
        operator: null,
        since: startedAt ?? now,
        ready: unknown,
        healthy: unknown,
        ...(pid === undefined ? {} : { pid, runningHash: OTHER_HASH }),
        ...(startedAt === undefined ? {} : { startedAt }),
      };
    });
  }
}

const UNKNOWN: Live = { state: "stopped", drift: [], stale: false };
/** Of what nobody knows what it was started with. */
const OTHER_HASH = "?";

const INTERRUPTED: PerformResult = {
  ok: false,
  message: "interrupted; what was begun goes on",
  lastLines: [],
  interrupted: true,
};

const failure = (message: string): PerformResult => ({ ok: false, message, lastLines: [] });

/** Managers tell of it in ways of their own, and some try for ever. */
function programFault({ program, name }: ServerSpec): string | undefined {
  try {
    fs.accessSync(program, fs.constants.X_OK);
    return undefined;
  } catch {
    return `cannot start ${name}: ${program} is not there, or not an executable file`;
  }
}

const foreignMessage = (file: string) =>
  `cannot write ${file}: xy has not written what is there; move it away, or say --adopt to replace it`;

function fileDrift({ file, text }: UnitRecord, { format }: UnitManager): string[] {
  const found = new UnitFile(file, format);
  switch (found.is) {
    case "missing":
      return ["its unit's file is gone"];
    case "linked":
      return ["its unit is masked, or a link"];
    case "foreign":
      return ["its unit's file was replaced"];
    case "ours":
      return found.text === text ? [] : ["its unit's file was edited"];
  }
}

function runningHashOf({ spec, outdated }: UnitRecord, { pid, stale }: Live): string {
  if (stale) return OTHER_HASH;
  return outdated && outdated.process.pid === pid && isRunning(outdated.process)
    ? outdated.hash
    : startHash(spec);
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

/** An end that its policy accepts has a reason too. */
function endReason({ state, lastExit }: Live): string | undefined {
  if (state !== "stopped" || lastExit === undefined || lastExit.requested) return undefined;
  const { exit } = lastExit;
  return exit.kind === "code"
    ? `ended: exit ${exit.code}`
    : exit.kind === "signal"
      ? `ended: ${exit.signal}`
      : undefined;
}

function folderOf(fileOf: () => string): string {
  try {
    return dirname(fileOf());
  } catch (error) {
    if (error instanceof BackendUnreachable) return "";
    throw error;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}
