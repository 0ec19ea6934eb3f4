import { type Condition, isMet, missing } from "../../model/dependency.ts";
import { formatExit, type Observed } from "../../model/observed.ts";
import { DEPENDENCIES_PATIENCE, patienceFor } from "../../model/patience.ts";
import { hasToBeReady } from "../../model/start.ts";
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

/** `yes`: it was done. `no`: it was so already, or, of a restart, it was only started. */
export interface Operated {
  readonly yes: readonly string[];
  readonly no: readonly string[];
  readonly failed: readonly { readonly name: string; readonly code: number; readonly message: string }[];
}

/** How a server of the project is that another backend runs; undefined: there is none of that name. */
type Others = (name: string) => Promise<Observed | undefined>;

export interface OperateOptions {
  /** Start what they depend on first, and wait for it. Default true. */
  readonly deps?: boolean;
  readonly others?: Others;
  readonly signal?: AbortSignal;
  /** False: of a stop or kill, tell each to end, and look for no end. Default true. */
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

  /** One after the other: each may need what came before it. A failure is that of one server. */
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

  /** True: started now. `asks`: for what it depends on. */
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
    // Now, and not when its manager would have started it.
    if (live?.state === "restarting") await end(manager, unit);
    // Heard from before the start: what waits for it comes to look later than it may say that it is ready.
    if (!runs && (this.#isNeeded(name) || hasToBeReady(record.spec)))
      this.#outputs.set(name, new Output(manager, unit, next, Date.now()));
    if (!runs) {
      // That an earlier process was ready says nothing of this one.
      this.#backend.store.update(name, (now) => ({ ...now, sawReady: false }));
      await manager.start(unit);
    }
    // One that ran is right as long as it was before.
    if (runs ? !known.live.stale : !unit.isTouched) await this.#backend.launched(unit);
    return !runs;
  }

  async restart(known: Known): Promise<boolean> {
    await this.rest(known);
    return this.start(known, false);
  }

  /** Ends what is about to be started again; nothing is held by it. */
  async rest({ record, unit }: Known): Promise<boolean> {
    if (this.#backend.inventory.fileAt(record.file).is === "missing")
      throw new ServiceError(
        `cannot restart ${record.spec.name}: its unit's file is gone; \`xy apply\` writes it again`,
      );
    await end(this.#backend.manager, unit);
    return true;
  }

  /** True: stopped now, or told to. */
  stop(known: Known): Promise<boolean> {
    return this.#hold(known, "stop");
  }

  kill(known: Known): Promise<boolean> {
    return this.#hold(known, "kill");
  }

  async #hold({ record, live }: Known, how: "stop" | "kill"): Promise<boolean> {
    const { manager, store, inventory } = this.#backend;
    const { name } = record.spec;
    // Held first: whatever fails after that, the next apply stops it.
    const next = await this.#backend.say(this.#fresh(name) ?? record, "stop");
    const unit = inventory.unitOf(next);
    if (this.#wait) await end(manager, unit, how);
    else await manager.begin(unit, how);
    const ran = isUp(live);
    const at = ran ? Date.now() : (record.rests?.at ?? Date.now());
    store.update(name, (now) => ({ ...now, rests: { at, reason: ENDED_BY_OPERATOR[how] } }));
    // systemd would remove a link that it is told to disable: an apply shows that first.
    const { is } = inventory.fileAt(next.file);
    if (is === "ours" || is === "foreign") await manager.load(unit);
    return ran;
  }

  /** Waits for what a server depends on, or says what it would wait for. */
  async #await(spec: Known["record"]["spec"]): Promise<void> {
    if (!this.#deps) return;
    for (const { server, condition } of spec.dependsOn) {
      const needed = this.#all.get(server);
      const why =
        this.#failed.get(server)?.message ??
        (needed ? await this.#shortfall(needed, condition) : await this.#elsewhere(server, condition));
      if (why === undefined) continue;
      throw new ServiceError(
        `cannot start ${spec.name}: it depends on ${server} (${why}); run \`xy start ${server}\`, or say --no-deps`,
      );
    }
  }

  /** Of a server that another backend runs: it is not started by this. */
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
   * Has a first look at what was started: one that ended well, and before it was ready, was not started, and nobody
   * else would notice. One that is ready by now is known to have been.
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

  /** systemd soon forgets a unit that has ended well, and with it how: that it does not run any more is known. */
  async #endUnseen(name: string): Promise<string | undefined> {
    const record = this.#fresh(name);
    if (record === undefined || record.operator === "stop") return undefined;
    const live = (await this.#backend.manager.look([this.#backend.inventory.unitOf(record)])).get(name);
    if (live?.state !== "stopped") return undefined;
    return `it ended at once, before it was ready (${formatExit(live.lastExit?.exit ?? { kind: "unknown" })})`;
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

  /** To be called when all is done. */
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

/** Longest first look at what was started, ms. */
const FIRST_LOOK = 2000;

export const isUp = (live: Live | undefined) =>
  live !== undefined && live.state !== "stopped" && live.state !== "failed";

const ENDED_BY_OPERATOR = { stop: "its operator stopped it", kill: "its operator killed it" } as const;
