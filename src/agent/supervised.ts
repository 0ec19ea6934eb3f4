import { EventEmitter, once } from "node:events";
import * as fs from "node:fs";
import { startHash } from "../model/canonical.ts";
import { SpawnError } from "../model/environment.ts";
import type { OperatorWord, Transition } from "../model/observed.ts";
import type { McpFacts } from "../model/probe-report.ts";
import { Redactor } from "../model/redact.ts";
import type { SecretValues, ServerSpec } from "../model/spec.ts";
import { SESSION_OVER, type Starter } from "../model/starter.ts";
import {
  type Effect,
  type MachineEvent,
  type ProbeName,
  STUCK_AFTER,
  step,
  type TimerName,
} from "../supervisor/machine.ts";
import { initialState, isLive, liveProcess, publicState, type ServerState } from "../supervisor/state.ts";
import { isRunning } from "../system/processes.ts";
import type { Incarnation } from "./incarnation.ts";
import { Ledger } from "./ledger.ts";
import { LogWriter } from "./log-writer.ts";
import { adoptIncarnation, spawnIncarnation } from "./process-host.ts";
import { hasKeeper, madeAt } from "./run-folder.ts";
import { type AppliedSpec, type RuntimeRecord, type ServerStore, stateAfter } from "./store.ts";
import { Watch } from "./watch.ts";

export interface SupervisedOptions {
  readonly store: ServerStore;
  readonly report: (message: string) => void;
  /** Told after each event that the server took in. */
  readonly changed?: (server: Supervised) => void;
}

/**
 * One server under this agent: carries out what the supervisor core decides, and tells it what happened. Effects of
 * one event are carried out before the next event is taken.
 */
export class Supervised {
  readonly store: ServerStore;
  readonly log: LogWriter;
  /** For everything that is passed on of its output, or of what its probes saw. */
  readonly redactor: Redactor;
  readonly #ledger: Ledger;
  readonly #report: (message: string) => void;
  readonly #changed = new EventEmitter();
  readonly #tell: (server: Supervised) => void;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #spec: ServerSpec;
  #secrets: SecretValues;
  #tampered: boolean;
  #unreadable: boolean;
  #state: ServerState = initialState(Date.now());
  #incarnation: Incarnation | undefined;
  /** Unix ms, before the first line that the newest incarnation can have printed: its start is heard of later. */
  #begunAt = 0;
  #watch: Watch | undefined;
  /** What the live process said of itself. */
  #mcp: McpFacts | undefined;
  #spawnError: SpawnError | undefined;
  #queue: MachineEvent[] = [];
  #busy = false;
  #retired = false;

  constructor(applied: AppliedSpec, options: SupervisedOptions) {
    this.#spec = applied.spec;
    this.#secrets = applied.secrets;
    this.#tampered = applied.tampered;
    this.#unreadable = applied.unreadable;
    this.store = options.store;
    const { project, name } = applied.spec;
    this.#report = (message) => options.report(`${project}/${name}: ${message}`);
    this.redactor = new Redactor(applied.secrets);
    this.#ledger = new Ledger(options.store, this.#report);
    this.#tell = options.changed ?? (() => {});
    this.log = new LogWriter(this.store.logDir, applied.spec.logs);
    // Many may wait for one server at once: an apply, commands, dependents.
    this.#changed.setMaxListeners(0);
  }

  get spec(): ServerSpec {
    return this.#spec;
  }
  get secrets(): SecretValues {
    return this.#secrets;
  }
  get state(): ServerState {
    return this.#state;
  }
  get operator(): OperatorWord {
    return this.#ledger.operator;
  }
  /** On whose word it runs, or ran last. */
  get starter(): Starter | undefined {
    return this.#ledger.starter;
  }
  get runningHash(): string | undefined {
    return this.#ledger.runningHash;
  }
  get transitions(): readonly Transition[] {
    return this.#ledger.transitions;
  }
  /** What the live process said of itself. */
  get mcp(): McpFacts | undefined {
    return this.#mcp;
  }
  /** Unix ms, before the first line of output of the newest run. */
  get begunAt(): number {
    return this.#begunAt;
  }
  /** What somebody else than xy changed of what was applied. */
  get drift(): string | undefined {
    const isEdited = this.#tampered || this.store.isSpecTouched();
    return isEdited ? "its record in the state folder was edited" : undefined;
  }
  /** Why the last start failed, while the server is failed because of it. */
  get spawnError(): SpawnError | undefined {
    return this.#state.phase.tag === "failed" ? this.#spawnError : undefined;
  }
  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }
  /** Asks the probes of the live process; undefined while there is none. */
  get watch(): Watch | undefined {
    return this.#watch;
  }

  /**
   * A start of it is owed: it ran when its last agent was told to end, or when the machine went down, or it waits for
   * what it depends on. Written down, so that a new agent knows it.
   */
  get resumes(): boolean {
    return this.#ledger.resumes;
  }

  /** What the configuration or the operator wants of it now. */
  get shouldRun(): boolean {
    return this.operator === null ? this.#spec.wanted === "start" : this.operator === "start";
  }

  /** What runs was started with another spec than the one it has now. */
  get isOutdated(): boolean {
    const { tag } = this.#state.phase;
    return (tag === "starting" || tag === "running") && this.runningHash !== startHash(this.#spec);
  }

  /** What was applied is not known: `spec` only says how to end it. */
  get unreadable(): boolean {
    return this.#unreadable;
  }

  dispatch(event: MachineEvent): void {
    this.#queue.push(event);
    if (this.#busy || this.#retired) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#turn(next);
    } finally {
      this.#busy = false;
    }
    this.#changed.emit("change");
    this.#tell(this);
  }

  /** Whoever waits for something of it looks again: what it depends on has changed. */
  nudge(): void {
    this.#changed.emit("change");
  }

  /** From now on a start of it is owed. Throws, with nothing changed, when that cannot be written. */
  owe(): void {
    this.#ledger.owe(this.#state);
  }

  /** Ends what runs of it, or the wait for its start. `reason`: why, when its operator did not say so. */
  cease(how: "stop" | "kill", reason?: string): void {
    const isOwed = this.resumes;
    this.#ledger.setResumes(false);
    // The end of a wait is no event of the machine.
    if (isOwed) this.#ledger.write(this.#state);
    this.dispatch({ type: how, ...(reason === undefined ? {} : { reason }) });
  }

  /** Settles when the condition holds, or with false when the time is over or the signal says so. */
  async until(
    condition: (server: Supervised) => boolean,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    // A timer of our own: Node 20 collects a timeout signal that only AbortSignal.any holds, and it never fires.
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), timeoutMs);
    const either = signal ? AbortSignal.any([bound.signal, signal]) : bound.signal;
    try {
      while (!condition(this)) {
        if (either.aborted) return false;
        await once(this.#changed, "change", { signal: either }).catch(() => undefined);
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The operator's word, written down before it is followed. Throws, with nothing changed, when it cannot be. */
  setOperator(word: OperatorWord): void {
    this.#ledger.setOperator(word, this.#state);
  }

  setStarter(starter: Starter): void {
    this.#ledger.setStarter(starter, this.#state);
  }

  /** Calls back at each change of its public state. Returns how to take that back. */
  onTransition(callback: (transition: Transition) => void): () => void {
    this.#changed.on("transition", callback);
    return () => this.#changed.off("transition", callback);
  }

  /** Takes a new spec over. Throws, with nothing changed, when it cannot be written. */
  configure(spec: ServerSpec, secrets: SecretValues): void {
    this.store.writeSpec(spec, secrets);
    this.redactor.renew(secrets);
    this.#spec = spec;
    this.#secrets = secrets;
    this.#tampered = false;
    this.#unreadable = false;
    this.log.setLimits(spec.logs);
    this.dispatch({ type: "configured" });
  }

  /** Takes the server up as an earlier agent, or the last boot, left it. */
  async adopt(record: RuntimeRecord | undefined): Promise<void> {
    const now = Date.now();
    const fresh = initialState(now);
    const { state, booted } = record
      ? stateAfter(record, now, fresh)
      : { state: this.#withoutRecord(fresh), booted: false };
    this.#state = state;
    this.#ledger.take(record, booted);
    if (this.resumes && isOrphan(this.starter)) this.#stayDown();
    if (booted) return this.#forgetRuns();
    for (const inc of new Set([...this.store.runs(), state.inc])) await this.#adoptRun(inc);
    this.dispatch({ type: "adopted", present: this.#incarnation !== undefined });
    this.#incarnation?.resume(liveProcess(state));
  }

  /** What a session started does not come back after its end. */
  #stayDown(): void {
    this.#ledger.setResumes(false);
    this.#state = { ...this.#state, reason: SESSION_OVER };
  }

  /** Without a record, a keeper still proves that something runs: it tells the rest. */
  #withoutRecord(fresh: ServerState): ServerState {
    const kept = this.store.runs().filter((inc) => hasKeeper(this.store.runPath(inc)));
    const inc = Math.max(0, ...kept);
    return inc === 0 ? fresh : { ...fresh, inc, phase: { tag: "starting" } };
  }

  /** A run folder of an incarnation that is over only has its last words left to say. */
  async #adoptRun(inc: number): Promise<void> {
    const current = inc === this.#state.inc && isLive(this.#state);
    const known = current ? liveProcess(this.#state) : undefined;
    const events = current ? this.#eventsOf(inc) : NO_EVENTS;
    if (current) this.#begunAt = madeAt(this.store.runPath(inc));
    const incarnation = await adoptIncarnation(this.store.runPath(inc), known, this.log, events);
    if (current) this.#hold(incarnation);
    else {
      incarnation?.resume(undefined);
      incarnation?.release(Date.now());
    }
  }

  #forgetRuns(): void {
    fs.rmSync(this.store.runDir, { recursive: true, force: true });
    this.#ledger.write(this.#state);
  }

  /** Stops the server with its agent. It is not held: the next agent starts it again. */
  async suspend(boundMs: number): Promise<void> {
    this.#ledger.setResumes(true);
    this.dispatch({ type: "stop" });
    await this.until(isAtRest, boundMs);
  }

  /** Lets go of the server without touching its processes: a later agent takes it up. */
  detach(): void {
    this.#retired = true;
    this.#clearTimers();
    this.#watch?.close();
    this.#incarnation?.drain(Date.now());
    this.#incarnation?.detach();
    this.log.close();
  }

  /** Calls back when the server is forgotten. Returns how to take that back. */
  onRemoved(callback: () => void): () => void {
    this.#changed.once("removed", callback);
    return () => this.#changed.off("removed", callback);
  }

  /** Forgets a server that is stopped. */
  remove(): void {
    this.detach();
    this.store.remove();
    this.#changed.emit("change");
    this.#changed.emit("removed");
  }

  // --- effects --------------------------------------------------------------------------------------------------

  #turn(event: MachineEvent): void {
    const now = Date.now();
    const { state, effects } = step(this.#state, event, this.#spec, { now });
    this.#state = state;
    for (const effect of effects) {
      if (effect.type === "publish") this.#ledger.note(transitionOf(effect, now));
    }
    for (const effect of effects) this.#perform(effect, now);
  }

  #perform(effect: Effect, now: number): void {
    switch (effect.type) {
      case "record":
        this.#ledger.write(this.#state);
        break;
      case "publish":
        // Taken in before, so that the record that comes first has it.
        this.#changed.emit("transition", transitionOf(effect, now));
        break;
      case "spawn":
        void this.#spawn(effect.inc);
        break;
      case "signal":
        this.#signal(effect.inc, effect.signal);
        break;
      case "setTimer":
        this.#setTimer(effect.timer, effect.inc, effect.ms);
        break;
      case "cancelTimer":
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        break;
      case "cancelTimers":
        this.#clearTimers();
        break;
      case "probe":
        this.#probe(effect.inc, effect.probe);
        break;
      case "release":
        this.#release();
        break;
    }
  }

  async #spawn(inc: number): Promise<void> {
    this.#spawnError = undefined;
    this.#ledger.begin(this.#spec, this.#state);
    this.#begunAt = Date.now();
    const dir = this.store.runPath(inc);
    const { log } = this;
    try {
      if (this.#unreadable)
        throw new SpawnError("cannot start: what was applied cannot be read: apply it again");
      const incarnation = await spawnIncarnation({
        dir,
        spec: this.#spec,
        secrets: this.#secrets,
        log,
        events: this.#eventsOf(inc),
      });
      this.#hold(incarnation);
      // It was told to end while it was being made.
      const { phase } = this.#state;
      if (phase.tag === "ending") this.#signal(inc, phase.killed ? "SIGKILL" : this.#spec.stop.signal);
    } catch (error) {
      this.#tidy(dir);
      this.#spawnError =
        error instanceof SpawnError ? error : new SpawnError(`cannot start: ${String(error)}`);
      this.dispatch({ type: "spawn-failed", inc, reason: this.#spawnError.message });
    }
  }

  /** What cannot be removed now is removed by the next agent. */
  #tidy(dir: string): void {
    try {
      fs.rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      this.#report(`cannot remove ${dir}: ${String(error)}`);
    }
  }

  #eventsOf(inc: number) {
    return {
      spawned: (process: { pid: number; start: string; boot: string }) =>
        this.dispatch({ type: "spawned", inc, process, at: Date.now() }),
      exited: (exit: Extract<MachineEvent, { type: "exited" }>["exit"], at: number) =>
        this.dispatch({ type: "exited", inc, exit, at }),
      emptied: () => this.dispatch({ type: "emptied", inc }),
    };
  }

  #hold(incarnation: Incarnation | undefined): void {
    if (this.#retired) {
      incarnation?.detach();
      return;
    }
    this.#incarnation = incarnation;
    this.#watch = incarnation && new Watch(incarnation, this.log, this.#begunAt, this.#report);
  }

  /** While a spawn is under way there is nothing to signal yet: {@link #spawn} sees to it. */
  #signal(inc: number, signal: NodeJS.Signals): void {
    if (inc === this.#state.inc) this.#incarnation?.signal(signal);
  }

  #release(): void {
    this.#watch?.close();
    this.#incarnation?.release(Date.now());
    this.#incarnation = undefined;
    this.#watch = undefined;
    this.#mcp = undefined;
    this.log.close();
  }

  #setTimer(timer: TimerName, inc: number, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(() => this.dispatch({ type: "timer", inc, timer }), ms),
    );
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Without a process there is nobody to look at, and the core hears of that by other ways. */
  #probe(inc: number, probe: ProbeName): void {
    const question = { spec: this.#spec, secrets: this.#secrets, probe: this.#spec[probe] };
    void this.#watch?.ask(question, ({ ok, evidence, costly, mcp }) => {
      // A new spec asks anew: what the old one asked for must not stand as its answer.
      if (question.spec !== this.#spec) return;
      if (inc === this.#state.inc && mcp) this.#mcp = this.redactor.facts(mcp);
      const answer = { ok, evidence: this.redactor.evidence(evidence), ...(costly ? { costly } : {}) };
      this.dispatch({ type: "answered", inc, probe, answer });
    });
  }
}

/** Longest time from the decision to start to a running program or the word that it cannot, ms. */
const SPAWN_BOUND = 15_000;

/** Longest time from the word to stop until nothing runs any more, or that is given up, ms. */
export function stopBound(spec: Pick<ServerSpec, "stop">): number {
  return SPAWN_BOUND + spec.stop.grace + STUCK_AFTER;
}

/** Nothing of it runs, and nothing will by itself. */
export function isAtRest(server: Supervised): boolean {
  const state = publicState(server.state);
  return state === "stopped" || state === "failed";
}

const NO_EVENTS = { spawned: () => {}, exited: () => {}, emptied: () => {} };

/** Its session is gone. */
function isOrphan(starter: Starter | undefined): boolean {
  return starter?.by === "session" && !isRunning(starter.session);
}

function transitionOf(effect: Extract<Effect, { type: "publish" }>, at: number): Transition {
  const { from, to, reason } = effect;
  return reason === undefined ? { from, to, at } : { from, to, at, reason };
}
