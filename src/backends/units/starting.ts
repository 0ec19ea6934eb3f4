import { patienceFor } from "../../model/patience.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { startTimeoutOf } from "../../model/start.ts";
import { mayRun } from "../../model/wanted.ts";
import { identify } from "../../system/processes.ts";
import type { PerformOptions } from "../backend.ts";
import type { Inventory } from "./inventory.ts";
import type { Unit } from "./manager.ts";
import type { Output } from "./output.ts";
import type { UnitRecord } from "./record.ts";
import { noteSettled, settle } from "./settle.ts";
import type { Settled } from "./start-watch.ts";

/** What each start of a unit needs: whether it may start, what is recorded about it, and the wait for it. */
export class Starting {
  readonly #inventory: Inventory;

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  /** Reads the operator's word anew: stopping what ran before may have taken the whole grace period. */
  mayRun(spec: ServerSpec): boolean {
    return mayRun(spec, { operator: this.#inventory.store.read(spec.name)?.operator ?? null });
  }

  /** Marks the change as finished. */
  finish(server: string): void {
    this.#inventory.store.update(server, (record) => {
      const { unfinished, ...whole } = record;
      return unfinished === undefined ? record : whole;
    });
  }

  /** Records the process that was started from what was just written: it stays up to date whatever happens to the file. */
  async launched(unit: Unit): Promise<void> {
    const { manager, store } = this.#inventory;
    const { name } = unit.spec;
    const pid = (await manager.look([unit])).get(name)?.pid;
    const process = pid === undefined ? undefined : identify(pid);
    if (process) store.update(name, (now) => ({ ...now, launched: process }));
  }

  /** Waits until it is what was asked for. `putsBack`: if it does not come up, its previous version comes back. */
  async settle(
    record: UnitRecord,
    unit: Unit,
    output: Output,
    { until = "ready", waitMs, signal, progress: tell }: PerformOptions,
    putsBack: boolean,
  ): Promise<Settled> {
    const { manager, store } = this.#inventory;
    const { spec } = record;
    const settled = await settle({
      ...{ manager, unit, record, output, until, tell, signal },
      patience: patienceFor(waitMs, spec, { putsBack }),
      startTimeout: startTimeoutOf(spec),
      dir: store.dir,
      isWanted: () => this.mayRun(spec),
    });
    if (settled.ok) noteSettled(store, spec.name, settled);
    return settled;
  }
}
