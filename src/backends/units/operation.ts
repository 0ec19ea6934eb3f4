import { type Condition, isMet, missing } from "../../model/dependency.ts";
import { formatExit, type Observed } from "../../model/observed.ts";
import { DEPENDENCIES_PATIENCE, patienceFor } from "../../model/patience.ts";
import { hasToBeReady } from "../../model/start.ts";
import { isInactive } from "../../model/states.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { RPC_ERRORS } from "../../rpc/errors.ts";
import { ServiceError } from "../ask.ts";
import { end } from "./ending.ts";
import type { Known } from "./inventory.ts";
import type { Live } from "./manager.ts";
import { Output } from "./output.ts";
import type { UnitRecord } from "./record.ts";
import { noteSettled, settle } from "./settle.ts";
import type { Settled } from "./start-watch.ts";
import type { UnitBackend } from "./unit-backend.ts";

/** `yes`: done. `no`: it was so already, or a restart only had to start it. */
export interface Operated {
  readonly yes: readonly string[];
  readonly no: readonly string[];
  readonly failed: readonly { readonly name: string; readonly code: number; readonly message: string }[];
}

/** The state of a server of the project that another backend runs; undefined if there is none of that name. */
type Others = (name: string) => Promise<Observed | undefined>;

export interface OperateOptions {
  /** Start their dependencies first, and wait for those. Default true. */
  readonly deps?: boolean;
  readonly others?: Others;
  readonly signal?: AbortSignal;
  /** False: a stop or kill does not wait for the end. Default true. */
  readonly wait?: boolean;
}

/** One request of an operator, server by server. */
export class Operation {
  readonly done = new Map<string, boolean>();
  readonly #failed = new Map<string, { code: number; message: string }>();
  /** What servers print that were started here, and have to become ready. */
  readonly #outputs = new Map<string, Output>();
  readonly #backend: UnitBackend;
  readonly #all: ReadonlyMap<string, Known>;
  readonly #deps: boolean;
  readonly #others: Others;
  readonly #signal: AbortSignal;
  readonly #wait: boolean;

  constructor(
    backend: UnitBackend,
    {
      all,
      deps,
      others,
      signal,
      wait,
    }: { readonly all: ReadonlyMap<string, Known> } & Required<OperateOptions>,
  ) {
    this.#backend = backend;
    this.#all = all;
    this.#deps = deps;
    this.#others = others;
    this.#signal = signal;
    this.#wait = wait;
  }

  /** One after the other: each may need an earlier one. A failure concerns only its own server. */
  async each(names: readonly string[], act: (known: Known) => Promise<boolean>): Promise<void> {
    for (const name of names) {
      const known = this.#all.get(name);
      if (known === undefined || this.#failed.has(name)) continue;
      try {
        this.done.set(name, await act(known));
      } catch (error) {
        if (!(error instanceof ServiceError) && !(error instanceof BackendUnreachable)) throw error;
        this.#failed.set(name, { code: RPC_ERRORS.spawnFailed, message: error.message });
      }
    }
  }

  forget(): void {
    this.done.clear();
  }

  /** Returns true if it was started now. `asks`: check its dependencies first. */
  async start(known: Known, asks = true): Promise<boolean> {
    const { record } = known;
    const { name, wanted } = record.spec;
    if (asks) await this.#await(record.spec);
    const next = await this.#backend.say(this.#fresh(name) ?? record, wanted === "start" ? null : "start");
    const unit = this.#backend.inventory.unitOf(next);
    const { manager } = this.#backend;
    await manager.load(unit);
    const live = (await manager.look([unit])).get(name);
    const runs = live?.state === "running" || live?.state === "starting";
    // Start it now, not when its manager would.
    if (live?.state === "restarting") await end(manager, unit);
    // Listening begins before the start: it may print its ready line before anyone waits for that.
    if (!runs && (this.#isNeeded(name) || hasToBeReady(record.spec)))
      this.#outputs.set(name, new Output(manager, unit, next, Date.now()));
    if (!runs) {
      // An earlier process's readiness says nothing about this one.
      this.#backend.store.update(name, (now) => ({ ...now, sawReady: false }));
      await manager.start(unit);
    }
    // A process that already ran is up to date only if it was before.
    if (runs ? !known.live.stale : !unit.isTouched) await this.#backend.launched(unit);
    return !runs;
  }

  async restart(known: Known): Promise<boolean> {
    await this.rest(known);
    return this.start(known, false);
  }

  /** Stops what is about to be started again. This does not hold it. */
  async rest({ record, unit }: Known): Promise<boolean> {
    if (this.#backend.inventory.fileAt(record.file).is === "missing")
      throw new ServiceError(
        `cannot restart ${record.spec.name}: its unit file is gone; \`xy apply\` writes it again`,
      );
    await end(this.#backend.manager, unit);
    return true;
  }

  /** Returns true if it ran until now. */
  stop(known: Known): Promise<boolean> {
    return this.#hold(known, "stop");
  }

  kill(known: Known): Promise<boolean> {
    return this.#hold(known, "kill");
  }

  async #hold({ record, live }: Known, how: "stop" | "kill"): Promise<boolean> {
    const { manager, store, inventory } = this.#backend;
    const { name } = record.spec;
    // The hold is recorded first: if stopping fails, the next apply stops it.
    const next = await this.#backend.say(this.#fresh(name) ?? record, "stop");
    const unit = inventory.unitOf(next);
    if (this.#wait) await end(manager, unit, how);
    else await manager.begin(unit, how);
    const ran = isActive(live);
    const at = ran ? Date.now() : (record.rests?.at ?? Date.now());
    store.update(name, (now) => ({ ...now, rests: { at, reason: ENDED_BY_OPERATOR[how] } }));
    // systemd would remove a link when it disables a unit: leave that to an apply, which shows it first.
    const { is } = inventory.fileAt(next.file);
    if (is === "ours" || is === "foreign") await manager.load(unit);
    return ran;
  }

  /** Waits for a server's dependencies. Throws an error that names one that is not as it should be. */
  async #await(spec: Known["record"]["spec"]): Promise<void> {
    if (!this.#deps) return;
    for (const { server, condition } of spec.dependsOn) {
      const needed = this.#all.get(server);
      const why =
        this.#failed.get(server)?.message ??
        (needed ? await this.#shortfall(needed, condition) : await this.#elsewhere(server, condition));
      if (why === undefined) continue;
      throw new ServiceError(
        `cannot start ${spec.name}: it depends on ${server} (${why}); run \`xy start ${server}\`, or use --no-deps`,
      );
    }
  }

  /** What is missing of a dependency under another backend, which is not started here. */
  async #elsewhere(server: string, condition: Condition): Promise<string | undefined> {
    const observed = await this.#others(server);
    if (observed === undefined || isMet(observed, condition)) return undefined;
    return missing(server, condition, observed)?.state;
  }

  async #shortfall(needed: Known, until: Condition): Promise<string | undefined> {
    const { name } = needed.record.spec;
    const record = this.#fresh(name) ?? needed.record;
    if (record.operator === "stop") return "held";
    const [observed] = (await this.#backend.observe(record.spec.project)).filter((one) => one.name === name);
    if (observed && isMet(observed, until)) return undefined;
    const settled = await this.#settle(record, until, DEPENDENCIES_PATIENCE);
    return settled.ok ? undefined : settled.message;
  }

  /**
   * Takes a first look at what was started: one that exited with success before it was ready has failed to start, and nobody
   * else would notice. One that is ready by now is recorded as such.
   */
  async judge(): Promise<void> {
    const begun = [...this.#outputs.keys()].filter((name) => this.done.get(name) && !this.#failed.has(name));
    await Promise.all(
      begun.map(async (name) => {
        const record = this.#fresh(name);
        if (record === undefined || !hasToBeReady(record.spec)) return;
        const settled = await this.#settle(record, "ready", FIRST_LOOK);
        if (settled.ok) return;
        const why = settled.isEarly ? settled.message : await this.#endUnseen(name);
        if (why === undefined) return;
        const message = `cannot start ${name}: ${why}`;
        this.#failed.set(name, { code: RPC_ERRORS.spawnFailed, message });
      }),
    );
  }

  /** systemd soon forgets a unit that exited successfully, and how it exited; that it does not run is still known. */
  async #endUnseen(name: string): Promise<string | undefined> {
    const record = this.#fresh(name);
    if (record === undefined || record.operator === "stop") return undefined;
    const live = (await this.#backend.manager.look([this.#backend.inventory.unitOf(record)])).get(name);
    if (live?.state !== "stopped") return undefined;
    return `it exited at once, before it was ready (${formatExit(live.lastExit?.exit ?? { kind: "unknown" })})`;
  }

  async #settle(record: UnitRecord, until: Condition, bound: number): Promise<Settled> {
    const { name } = record.spec;
    const unit = this.#backend.inventory.unitOf(record);
    const { manager, store } = this.#backend;
    const heard = this.#outputs.get(name);
    const output = heard ?? new Output(manager, unit, record, Date.now());
    const isWanted = () => this.#fresh(name)?.operator !== "stop";
    const patience = patienceFor(bound, record.spec, { putsBack: false });
    const { dir } = store;
    const wait = { manager, unit, record, output, until, patience, dir, isWanted, signal: this.#signal };
    const settled = await settle(wait).finally(() => {
      if (heard === undefined) output.close();
    });
    if (settled.ok) noteSettled(store, name, settled);
    return settled;
  }

  #isNeeded(name: string): boolean {
    return [...this.#all.values()].some(({ record }) =>
      record.spec.dependsOn.some(({ server }) => server === name),
    );
  }

  /** Must be called at the end. */
  close(): void {
    for (const output of this.#outputs.values()) output.close();
  }

  #fresh(name: string) {
    return this.#backend.store.read(name);
  }

  outcome(names: readonly string[], isYes: (name: string) => boolean): Operated {
    const good = names.filter((name) => this.done.has(name) && !this.#failed.has(name));
    return {
      yes: good.filter(isYes),
      no: good.filter((name) => !isYes(name)),
      failed: names.flatMap((name) => {
        const failure = this.#failed.get(name);
        return failure ? [{ name, ...failure }] : [];
      }),
    };
  }
}

/** Longest duration of the first look at what was started, ms. */
const FIRST_LOOK = 2000;

export const isActive = (live: Live | undefined) => live !== undefined && !isInactive(live.state);

const ENDED_BY_OPERATOR = { stop: "its operator stopped it", kill: "its operator killed it" } as const;
