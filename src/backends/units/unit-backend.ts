import { startHash } from "../../model/canonical.ts";
import type { Observed } from "../../model/observed.ts";
import type { Change, UnitChange } from "../../model/plan.ts";
import { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { mayRun } from "../../model/wanted.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { writeAtomic } from "../../system/files.ts";
import { identify } from "../../system/processes.ts";
import { ServiceError } from "../ask.ts";
import type { Backend, PerformOptions, PerformResult, Remark } from "../backend.ts";
import { lossesOf } from "../render/losses.ts";
import { unitName } from "../render/unit.ts";
import { Changing, failure, INTERRUPTED } from "./changing.ts";
import { type Account, Inventory, type Known, runningHashOf } from "./inventory.ts";
import type { Unit, UnitManager } from "./manager.ts";
import { observeAll } from "./observing.ts";
import type { UnitRecord, UnitStore } from "./record.ts";
import { Starting } from "./starting.ts";
import { Writing } from "./writing.ts";

/** Everything is as xy wrote it last, including what its process was started with. */
function isUntouched({ record, live }: Known, inventory: Inventory): boolean {
  const { is, text } = inventory.fileAt(record.file);
  const isWritten = is === "ours" && text === record.text && !record.unfinished && live.drift.length === 0;
  const isRight = live.pid === undefined || runningHashOf(record, live) === startHash(record.spec);
  return isWritten && isRight && !live.isElsewhere;
}

export interface UnitWorld {
  readonly manager: UnitManager;
  readonly store: UnitStore;
  readonly project: string;
  readonly account: Account;
  /** Take over unit files that xy did not write. */
  readonly adopt: boolean;
}

/** One project's servers that run as units of one service manager. */
export class UnitBackend implements Backend {
  readonly kind: UnitManager["kind"];
  /** A service manager starts a server at once, whatever it depends on. */
  readonly waits = false;
  readonly manager: UnitManager;
  readonly store: UnitStore;
  readonly inventory: Inventory;
  readonly #changing: Changing;
  readonly #writing: Writing;
  readonly #starting: Starting;

  constructor({ manager, store, project, account, adopt }: UnitWorld) {
    this.kind = manager.kind;
    this.manager = manager;
    this.store = store;
    this.inventory = new Inventory(manager, store, project, account);
    this.#writing = new Writing(this.inventory, { adopt });
    this.#starting = new Starting(this.inventory);
    this.#changing = new Changing(this.inventory, this.#writing, this.#starting);
  }

  check(spec: ServerSpec, secrets: SecretValues = {}): readonly Remark[] {
    const faults = [
      ...this.manager.format.faults(this.inventory.facts(spec, true)),
      ...this.#writing.secretFaults(spec, secrets),
    ];
    return [
      ...faults.map((fault) => ({ severity: "error" as const, ...fault })),
      ...lossesOf(spec, this.kind, true).map(({ message }) => ({
        severity: "warning" as const,
        path: [],
        message,
      })),
    ];
  }

  reach(specs: readonly ServerSpec[]): Promise<void> {
    return this.manager.reach(specs);
  }

  hint(spec: ServerSpec): string | undefined {
    return this.manager.hint?.(spec);
  }

  async observe(project: string): Promise<readonly Observed[]> {
    return project === this.inventory.project ? observeAll(this.inventory) : [];
  }

  launched(unit: Unit): Promise<void> {
    return this.#starting.launched(unit);
  }

  known(names: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    return this.inventory.known(names);
  }

  async unitChange({ desired, observed, held, action }: Change): Promise<UnitChange | undefined> {
    if (desired === undefined || desired.wanted === "ignore" || action === "remove") return undefined;
    const operator = observed?.operator ?? (held ? "stop" : null);
    const facts = this.inventory.facts(desired, mayRun(desired, { operator }));
    if (this.manager.format.faults(facts).length > 0) return undefined;
    const file = this.manager.fileOf(desired);
    const to = await this.manager.format.render(facts);
    const { text: from, link } = this.inventory.fileAt(file);
    if (from === to && link === undefined) return undefined;
    const obstacle = this.#writing.obstacle(file, "write");
    const known = this.store.read(desired.name);
    const redactor = new Redactor(known?.secrets ?? {}, known?.spec.env ?? {});
    return {
      file,
      ...(from === undefined ? {} : { from: redactor.text(from) }),
      to,
      ...withoutUndefined({ link, obstacle }),
    };
  }

  /** Only systemd can reload a rewritten unit without touching its process, whatever the change is. */
  async rename(spec: ServerSpec): Promise<void> {
    const before = (await this.known([spec.name])).get(spec.name);
    if (this.kind !== "systemd" || before === undefined || !isUntouched(before, this.inventory)) return;
    const { record, live } = before;
    const process = live.pid === undefined ? undefined : identify(live.pid);
    const text = await this.inventory.textOf({ spec, operator: record.operator });
    const launched = process === undefined ? {} : { launched: process };
    const written = await this.#writing.write({ ...record, spec, text, ...launched, unfinished: true });
    await this.manager.load(this.inventory.unitOf(written));
    this.store.update(spec.name, ({ unfinished: _, ...whole }) => whole);
  }

  async perform(change: Change, options: PerformOptions): Promise<PerformResult> {
    if (change.action === "none") return { ok: true, detail: "unchanged" };
    if (options.signal.aborted) return INTERRUPTED;
    try {
      return change.action === "remove"
        ? await this.#changing.remove(change.server)
        : await this.#changing.take(change, options);
    } catch (error) {
      if (error instanceof ServiceError || error instanceof BackendUnreachable) return failure(error.message);
      throw error;
    }
  }

  /**
   * Records the operator's word, and updates the unit file accordingly. If somebody edited the file, nothing else in it
   * changes: a plan must show that first.
   */
  async say(record: UnitRecord, operator: UnitRecord["operator"]): Promise<UnitRecord> {
    const { rests: _, ...rest } = record;
    const { name } = record.spec;
    const file = this.inventory.fileAt(record.file);
    if (file.is === "missing" && operator !== "stop")
      throw new ServiceError(`cannot start ${name}: its unit file is gone; \`xy apply\` writes it again`);
    const text = await this.inventory.textOf({ spec: record.spec, operator });
    const next = { ...rest, operator, text };
    const { withStart } = this.manager.format;
    if (text !== record.text && file.text === record.text) return this.#writing.write(next);
    this.store.write(next);
    if (withStart && file.is === "ours" && file.text !== undefined && file.text !== record.text)
      writeAtomic(record.file, withStart(file.text, mayRun(record.spec, { operator })), { mode: 0o644 });
    return next;
  }

  /** Where a server's output is, or how to read it. */
  logHint(name: string): string {
    const record = this.store.read(name);
    const files = record && this.manager.logFiles(record.spec, record.file);
    if (files) return files.out;
    return `journalctl -t ${unitName({ project: this.inventory.project, name })}`;
  }

  async close(): Promise<void> {}
}
