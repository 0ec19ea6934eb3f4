import { EventEmitter, once } from "node:events";
import * as fs from "node:fs";
import { SpawnError } from "../../model/environment.ts";
import type { Transition } from "../../model/observed.ts";
import {
  type Effect,
  type MachineEvent,
  type ProbeName,
  type SupervisedSpec,
  step,
  type TimerName,
} from "../../supervisor/machine.ts";
import { initialState, type ServerState } from "../../supervisor/state.ts";
import { rowOf } from "../../system/processes.ts";
import { causeText, isNoRoom, isShortage } from "../../system/shortage.ts";
import type { Incarnation, IncarnationEvents, LeftProcess } from "./incarnation.ts";

/**
 * One program that the supervisor core decides about: carries out its effects, and tells it what happened. Effects of
 * one event are carried out before the next event is taken. What else is kept of the program is its subclass's.
 */
export abstract class Driven {
  readonly #changed = new EventEmitter();
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #state: ServerState = initialState(Date.now());
  #incarnation: Incarnation | undefined;
  #spawnError: SpawnError | undefined;
  #leftBehind: readonly LeftProcess[] = [];
  #queue: MachineEvent[] = [];
  #busy = false;
  #retired = false;

  constructor() {
    // Many may wait for one program at once: an apply, commands, dependents.
    this.#changed.setMaxListeners(0);
  }

  /** What the core is told of it, anew for each event. */
  protected abstract get machineSpec(): SupervisedSpec;
  /** The run folder of an incarnation. */
  protected abstract runPath(inc: number): string;
  /** Starts a new incarnation in its run folder. Throws a {@link SpawnError} when it cannot run. */
  protected abstract launch(inc: number, events: IncarnationEvents): Promise<Incarnation>;
  /** What is about to be launched is not wanted any more. What has begun goes on, and is ended then. */
  protected unlaunch(): void {}
  /** Writes the state down, at once or in a moment. Never throws: supervision goes on. */
  protected abstract record(soon: boolean): void;
  protected abstract report(message: string): void;
  /** A new state came of an event, before anything of it is carried out. */
  protected turned(_event: MachineEvent, _before: ServerState, _transitions: readonly Transition[]): void {}
  /** An incarnation is held now, or (undefined) over. */
  protected holding(_incarnation: Incarnation | undefined): void {}
  protected probe(_inc: number, _probe: ProbeName): void {}
  /** What has to be heard before the end of this timer is taken in. */
  protected beforeTimer(_timer: TimerName): Promise<void> | undefined {
    return undefined;
  }
  /** It could not be started because nothing can be written where it would run: {@link room} is to be said then. */
  protected awaitRoom(): void {}
  /** All that came of one event, and of those that followed at once, is done. */
  protected settled(): void {}

  get state(): ServerState {
    return this.#state;
  }
  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }
  /** Daemons of runs that are over, as far as they live still. */
  get leftBehind(): readonly LeftProcess[] {
    return this.#leftBehind.filter(({ pid, start }) => rowOf(pid)?.start === start);
  }
  /** Why the last start failed, while the program is failed, or waits for another one, because of it. */
  get spawnError(): SpawnError | undefined {
    const { tag } = this.#state.phase;
    return tag === "failed" || tag === "waiting" ? this.#spawnError : undefined;
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
    this.settled();
  }

  /** Whoever waits for something of it looks again. */
  nudge(): void {
    this.#changed.emit("change");
  }

  /** Settles when the condition holds, or with false when the time is over or the signal says so. */
  async until(condition: (one: this) => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
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

  /** Calls back at each change of its public state. Returns how to take that back. */
  onTransition(callback: (transition: Transition) => void): () => void {
    this.#changed.on("transition", callback);
    return () => this.#changed.off("transition", callback);
  }

  /** Calls back whenever something became of it. Returns how to take that back. */
  onChange(callback: () => void): () => void {
    this.#changed.on("change", callback);
    return () => this.#changed.off("change", callback);
  }

  /** Calls back when it is forgotten. Returns how to take that back. */
  onRemoved(callback: () => void): () => void {
    this.#changed.once("removed", callback);
    return () => this.#changed.off("removed", callback);
  }

  /** It is forgotten: tells whoever waits, or follows its log. */
  protected tellRemoved(): void {
    this.#changed.emit("change");
    this.#changed.emit("removed");
  }

  /** Begins with a state that was found, before any event. */
  protected beginWith(state: ServerState): void {
    this.#state = state;
  }

  /** Lets go of the program without touching its processes: a later agent takes it up. */
  detach(): void {
    this.#retired = true;
    this.#clearTimers();
    this.#incarnation?.drain(Date.now());
    this.#incarnation?.detach();
  }

  /** What it could not be started for is there again. */
  protected room(): void {
    if (this.spawnError?.noRoom) this.dispatch({ type: "timer", inc: this.state.inc, timer: "backoff" });
  }

  protected eventsOf(inc: number): IncarnationEvents {
    return {
      spawned: (process, at) => this.dispatch({ type: "spawned", inc, process, at }),
      exited: (exit, at) => this.dispatch({ type: "exited", inc, exit, at }),
      emptied: () => this.dispatch({ type: "emptied", inc }),
      report: (message) => this.report(message),
    };
  }

  protected hold(incarnation: Incarnation | undefined): void {
    if (this.#retired) {
      incarnation?.detach();
      return;
    }
    this.#incarnation = incarnation;
    this.holding(incarnation);
  }

  // --- effects --------------------------------------------------------------------------------------------------

  #turn(event: MachineEvent): void {
    const now = Date.now();
    const before = this.#state;
    const { state, effects } = step(before, event, this.machineSpec, { now, clock: monotonic() });
    this.#state = state;
    this.turned(
      event,
      before,
      effects.flatMap((effect) => (effect.type === "publish" ? [transitionOf(effect, now)] : [])),
    );
    for (const effect of effects) this.#perform(effect, now);
  }

  #perform(effect: Effect, now: number): void {
    switch (effect.type) {
      case "record":
        this.record(effect.soon ?? false);
        break;
      case "publish":
        // Taken in before, so that the record that comes first has it.
        this.#changed.emit("transition", transitionOf(effect, now));
        break;
      case "spawn":
        void this.#spawn(effect.inc);
        break;
      case "signal":
        // While a spawn is under way there is nothing to signal yet: that sees to it.
        if (effect.inc !== this.#state.inc) break;
        if (this.#incarnation) this.#incarnation.signal(effect.signal, this.#endsAll);
        else this.unlaunch();
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
        this.probe(effect.inc, effect.probe);
        break;
      case "release":
        this.#leftBehind = this.#incarnation?.left ?? this.#leftBehind;
        try {
          this.#incarnation?.release(Date.now());
        } catch (error) {
          // A read-only state folder, say. What cannot be removed now is removed by the next agent.
          this.report(`cannot remove a run that is over: ${causeText(error)}`);
        }
        this.hold(undefined);
        break;
    }
  }

  get #endsAll(): boolean {
    return this.machineSpec.stop.descendants === "all";
  }

  async #spawn(inc: number): Promise<void> {
    this.#spawnError = undefined;
    try {
      this.hold(await this.launch(inc, this.eventsOf(inc)));
      // It was told to end while it was being made.
      const { phase } = this.#state;
      if (phase.tag === "ending")
        this.#incarnation?.signal(phase.killed ? "SIGKILL" : this.machineSpec.stop.signal, this.#endsAll);
    } catch (error) {
      this.#tidy(this.runPath(inc));
      const lacks = { passing: isShortage(error), noRoom: isNoRoom(error) };
      const told =
        error instanceof SpawnError ? error : new SpawnError(`cannot start: ${causeText(error)}`, lacks);
      this.neverRan(inc, told);
    }
  }

  /** Nothing of this incarnation is alive, and nothing will be. */
  protected neverRan(inc: number, error: SpawnError): void {
    this.#spawnError = error;
    const { message: reason, passing, noRoom } = error;
    const lacks = { ...(passing ? { passing } : {}), ...(noRoom ? { noRoom } : {}) };
    this.dispatch({ type: "spawn-failed", inc, reason, ...lacks });
    if (noRoom) this.awaitRoom();
  }

  /** What cannot be removed now is removed by the next agent. */
  #tidy(dir: string): void {
    try {
      fs.rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      this.report(`cannot remove ${dir}: ${String(error)}`);
    }
  }

  #setTimer(timer: TimerName, inc: number, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(() => {
        // Nobody could see whether it is gone: that is not to say that it cannot be killed.
        if (timer === "stuck" && this.#incarnation?.isBlind) return this.#setTimer(timer, inc, ms);
        const due = () => this.dispatch({ type: "timer", inc, timer });
        const first = this.beforeTimer(timer);
        if (first === undefined) due();
        else void first.then(due);
      }, ms),
    );
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

function transitionOf(effect: Extract<Effect, { type: "publish" }>, at: number): Transition {
  const { from, to, reason } = effect;
  return reason === undefined ? { from, to, at } : { from, to, at, reason };
}

/** See `Moment.clock`. */
const monotonic = () => Number(process.hrtime.bigint() / 1_000_000n);
