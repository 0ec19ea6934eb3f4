import { EventEmitter, once } from "node:events";
import * as fs from "node:fs";
import { startHash } from "../model/canonical.ts";
import type { Observed, OperatorWord, Transition } from "../model/observed.ts";
import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
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

import { initialState, liveProcess, type Pause, publicState, type ServerState } from "../supervisor/state.ts";
import { bootId, isRunning } from "../system/processes.ts";
import { SpawnError } from "./environment.ts";
import type { Incarnation } from "./incarnation.ts";
import { LogSnapshot } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";
import { Steps } from "./probes/steps.ts";
import { adoptIncarnation, spawnIncarnation } from "./process-host.ts";
import { cut, redact } from "./redact.ts";
import { hasKeeper, madeAt } from "./run-folder.ts";
import { type AppliedSpec, type RuntimeRecord, type ServerStore, stateAfter } from "./store.ts";
import { Watch } from "./watch.ts";

const KEPT_TRANSITIONS = 20;
const REASON_LINES = 10;
const LONGEST_REASON_LINE = 2000;
const LONGEST_EVIDENCE = 220;
const KEPT_SECRETS = 4;

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
  readonly #report: (message: string) => void;
  readonly #changed = new EventEmitter();
  readonly #tell: (server: Supervised) => void;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #spec: ServerSpec;
  #secrets: SecretValues;
  #tampered: boolean;
  #unreadable: boolean;
  #operator: OperatorWord = null;
  #starter: Starter | undefined;
  #started: RuntimeRecord["started"];
  #state: ServerState = initialState(Date.now());
  #runningHash: string | undefined;
  #transitions: readonly Transition[] = [];
  #incarnation: Incarnation | undefined;
  /** Unix ms, before the first line that the newest incarnation can have printed: its start is heard of later. */
  #begunAt = 0;
  /** Secrets of earlier specs, which older lines of output may still hold. */
  #formerSecrets: readonly SecretValues[] = [];
  #watch: Watch | undefined;
  /** What the live process said of itself. */
  #mcp: McpFacts | undefined;
  #spawnError: SpawnError | undefined;
  #queue: MachineEvent[] = [];
  #busy = false;
  #retired = false;
  #resumes = false;

  constructor(applied: AppliedSpec, options: SupervisedOptions) {
    this.#spec = applied.spec;
    this.#secrets = applied.secrets;
    this.#tampered = applied.tampered;
    this.#unreadable = applied.unreadable;
    this.store = options.store;
    this.#report = options.report;
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
    return this.#operator;
  }
  /** On whose word it runs, or ran last. */
  get starter(): Starter | undefined {
    return this.#starter;
  }
  get transitions(): readonly Transition[] {
    return this.#transitions;
  }
  /** Why the last start failed, while the server is failed because of it. */
  get spawnError(): SpawnError | undefined {
    return this.#state.phase.tag === "failed" ? this.#spawnError : undefined;
  }
  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }

  /**
   * A start of it is owed: it ran when its last agent was told to end, or when the machine went down, or it waits for
   * what it depends on. Written down, so that a new agent knows it.
   */
  get resumes(): boolean {
    return this.#resumes;
  }

  /** What the configuration or the operator wants of it now. */
  get shouldRun(): boolean {
    return this.#operator === null ? this.#spec.wanted === "start" : this.#operator === "start";
  }

  /** What runs was started with another spec than the one it has now. */
  get isOutdated(): boolean {
    const { tag } = this.#state.phase;
    return (tag === "starting" || tag === "running") && this.#runningHash !== startHash(this.#spec);
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
    if (this.#resumes) return;
    this.#resumes = true;
    try {
      this.#write(true);
    } catch (error) {
      this.#resumes = false;
      throw error;
    }
  }

  /** Ends what runs of it, or the wait for its start. `reason`: why, when its operator did not say so. */
  cease(how: "stop" | "kill", reason?: string): void {
    const isOwed = this.#resumes;
    this.#resumes = false;
    // The end of a wait is no event of the machine.
    if (isOwed) this.#record();
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
    const before = this.#operator;
    if (word === before) return;
    this.#operator = word;
    try {
      this.#write(true);
    } catch (error) {
      this.#operator = before;
      throw error;
    }
  }

  setStarter(starter: Starter): void {
    if (starter.by !== "session" && starter.by === this.#starter?.by) return;
    this.#starter = starter;
    this.#record();
  }

  /** Calls back at each change of its public state. Returns how to take that back. */
  onTransition(callback: (transition: Transition) => void): () => void {
    this.#changed.on("transition", callback);
    return () => this.#changed.off("transition", callback);
  }

  /** Takes a new spec over. Throws, with nothing changed, when it cannot be written. */
  configure(spec: ServerSpec, secrets: SecretValues): void {
    this.store.writeSpec(spec, secrets);
    this.#formerSecrets = [this.#secrets, ...this.#formerSecrets].slice(0, KEPT_SECRETS);
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
    this.#resumes = booted || (record?.resumes ?? false);
    this.#operator = record?.operator ?? null;
    this.#starter = record?.starter;
    this.#started = record?.started;
    if (this.#resumes && isOrphan(this.#starter)) this.#stayDown();
    this.#runningHash = record?.runningHash;
    this.#transitions = record?.transitions ?? [];
    if (booted) return this.#forgetRuns();
    for (const inc of new Set([...this.store.runs(), state.inc])) await this.#adoptRun(inc);
    this.dispatch({ type: "adopted", present: this.#incarnation !== undefined });
    this.#incarnation?.resume(liveProcess(state));
  }

  /** What a session started does not come back after its end. */
  #stayDown(): void {
    this.#resumes = false;
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
    this.#record();
  }

  /** Stops the server with its agent. It is not held: the next agent starts it again. */
  async suspend(boundMs: number): Promise<void> {
    this.#resumes = true;
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
      if (effect.type === "publish")
        this.#transitions = [...this.#transitions, transitionOf(effect, now)].slice(-KEPT_TRANSITIONS);
    }
    for (const effect of effects) this.#perform(effect, now);
  }

  #perform(effect: Effect, now: number): void {
    switch (effect.type) {
      case "record":
        this.#record();
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

  #write(durable: boolean): void {
    const record: RuntimeRecord = {
      boot: bootId(),
      operator: this.#operator,
      runningHash: this.#runningHash,
      resumes: this.#resumes,
      starter: this.#starter,
      started: this.#started,
      state: this.#state,
      transitions: this.#transitions,
    };
    this.store.writeRecord(record, durable);
  }

  /** Without room for a record supervision goes on; only a later agent would know less. */
  #record(): void {
    try {
      this.#write(false);
    } catch (error) {
      this.#report(`cannot write the record of ${this.#spec.project}/${this.#spec.name}: ${String(error)}`);
    }
  }

  async #spawn(inc: number): Promise<void> {
    this.#spawnError = undefined;
    this.#resumes = false;
    this.#runningHash = startHash(this.#spec);
    this.#started = { command: [this.#spec.program, ...this.#spec.args], port: this.#spec.port };
    this.#record();
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
      if (inc === this.#state.inc && mcp) this.#mcp = mcp;
      const answer = { ok, evidence: this.#presentable(evidence), ...(costly ? { costly } : {}) };
      this.dispatch({ type: "answered", inc, probe, answer });
    });
  }

  /** Asks a probe for a person, who sees each step; the core does not hear of it. */
  async probeNow(probe: ProbeName): Promise<ProbeReport> {
    const question = { spec: this.#spec, secrets: this.#secrets, probe: this.#spec[probe] };
    const report = await this.#watch?.askNow(question);
    if (!report) {
      const { name } = this.#spec;
      return new Steps().bad("process", `${name} does not run: it is ${publicState(this.#state)}`);
    }
    const steps = report.steps.map((step) => ({ ...step, detail: this.#presentable(step.detail) }));
    return { ...report, steps, evidence: this.#presentable(report.evidence) };
  }

  #presentable(evidence: string): string {
    return cut(this.#hide(evidence), LONGEST_EVIDENCE);
  }

  // --- what others see ------------------------------------------------------------------------------------------

  /** `withLines`: also the last lines of a failed server, which are long. */
  observe({ withLines = false } = {}): Observed {
    const { phase, since, reason, lastExit, restartCount, paused } = this.#state;
    const state = publicState(this.#state);
    const process = liveProcess(this.#state);
    const never = { status: "unknown", evidence: "not running", at: since } as const;
    return {
      name: this.#spec.name,
      project: this.#spec.project,
      backend: "agent",
      ...(this.#unreadable ? {} : { spec: this.#spec }),
      state,
      operator: this.#operator,
      since,
      restartCount,
      ready: phase.tag === "running" ? phase.ready.verdict : never,
      healthy: phase.tag === "running" ? phase.healthy.verdict : never,
      ...(isLive(this.#state) && this.#runningHash !== undefined ? { runningHash: this.#runningHash } : {}),
      ...(process ? { pid: process.pid } : {}),
      ...("startedAt" in phase ? { startedAt: phase.startedAt } : {}),
      ...(lastExit ? { lastExit } : {}),
      ...(this.#mcp ? { mcp: this.#mcp } : {}),
      ...(paused ? { paused: pauseOf(paused) } : nextStart(phase)),
      ...(this.#starter ? { startedBy: this.#starter } : {}),
      ...(reason === undefined ? {} : { reason }),
      ...(this.#tampered || this.store.isSpecTouched()
        ? { drift: "its record in the state folder was edited" }
        : {}),
      ...(withLines && state === "failed" ? { lastLines: this.lastLines() } : {}),
    };
  }

  #hide(text: string): string {
    return [this.#secrets, ...this.#formerSecrets].reduce(redact, text);
  }

  /** The last lines of output of the newest run, for the explanation of a failure. */
  lastLines(): string[] {
    const snapshot = new LogSnapshot(this.log.dir);
    try {
      const lines = snapshot
        .lastLines({ tail: REASON_LINES, since: this.#begunAt })
        .map((line) => line.bytes.toString("utf8"));
      return lines.map((line) => cut(this.#hide(line), LONGEST_REASON_LINE));
    } finally {
      snapshot.close();
    }
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

function isLive(state: ServerState): boolean {
  const { phase } = state;
  return (
    phase.tag === "starting" ||
    phase.tag === "running" ||
    phase.tag === "ending" ||
    (phase.tag === "failed" && phase.stuck)
  );
}

function pauseOf({ at, until }: Pause): NonNullable<Observed["paused"]> {
  return until === null ? { at } : { at, until };
}

/** Its session is gone. */
function isOrphan(starter: Starter | undefined): boolean {
  return starter?.by === "session" && !isRunning(starter.session);
}

function nextStart(phase: ServerState["phase"]): { nextStartAt?: number } {
  if (phase.tag === "waiting") return { nextStartAt: phase.until };
  return phase.tag === "ending" && phase.after.kind === "backoff" ? { nextStartAt: phase.after.until } : {};
}

function transitionOf(effect: Extract<Effect, { type: "publish" }>, at: number): Transition {
  const { from, to, reason } = effect;
  return reason === undefined ? { from, to, at } : { from, to, at, reason };
}
