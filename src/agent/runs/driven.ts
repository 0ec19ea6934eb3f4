import * as fs from "node:fs";
import { cannotHappen } from "../../model/cannot-happen.ts";
import { SpawnError } from "../../model/environment.ts";
import type { Transition } from "../../model/observed.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
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
import { Changes } from "./changes.ts";
import type { Incarnation, IncarnationEvents, LeftProcess } from "./incarnation.ts";

/** What a driven program belongs to, a server or a job: it decides what is started and records what happened. */
export interface DrivenHost {
  /** What the state machine is told about the program, read again for each event. */
  spec(): SupervisedSpec;
  /** The run folder of an incarnation. */
  runPath(inc: number): string;
  /** Starts a new incarnation in its run folder. Throws a {@link SpawnError} when it cannot run. */
  launch(inc: number, events: IncarnationEvents): Promise<Incarnation>;
  report(message: string): void;
  /** The launch is no longer wanted. One that has begun continues, and is ended afterwards. */
  cancelLaunch?(): void;
  /** Records the state, at once or in a moment. Must not throw: supervision continues anyway. */
  record?(soon: boolean): void;
  /** The state machine took a step; none of its effects have been carried out yet. */
  stepped?(event: MachineEvent, before: ServerState, transitions: readonly Transition[]): void;
  /** There is an incarnation now, or (undefined) it is over. */
  held?(incarnation: Incarnation | undefined): void;
  probe?(inc: number, probe: ProbeName): void;
  /** What must settle before the end of this timer counts. */
  beforeTimer?(timer: TimerName): Promise<void> | undefined;
  /** The start failed because nothing can be written where it would run: call {@link Driven.retryWithRoom} once it can. */
  awaitRoom?(): void;
  /** An event, and everything that followed from it at once, has been handled. */
  settled?(): void;
  /** May hold back what an incarnation tells until more is known. */
  filterEvents?(inc: number, events: IncarnationEvents): IncarnationEvents;
}

/**
 * One program under the state machine: carries out its effects, and tells it what happened. The effects of one event are
 * carried out before the next event is handled. Everything else about the program is its host's.
 */
export class Driven {
  readonly changes = new Changes();
  readonly #host: DrivenHost;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #state: ServerState = initialState(Date.now());
  #incarnation: Incarnation | undefined;
  #spawnError: SpawnError | undefined;
  #leftBehind: readonly LeftProcess[] = [];
  #queue: MachineEvent[] = [];
  #busy = false;
  #retired = false;

  constructor(host: DrivenHost) {
    this.#host = host;
  }

  get state(): ServerState {
    return this.#state;
  }
  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }
  /** Daemons that earlier runs left behind and that are still alive. */
  get leftBehind(): readonly LeftProcess[] {
    return this.#leftBehind.filter(({ pid, start }) => rowOf(pid)?.start === start);
  }
  /** Why the last start failed, while the program is failed or waits for another start because of it. */
  get spawnError(): SpawnError | undefined {
    const { tag } = this.#state.phase;
    return tag === "failed" || tag === "waiting" ? this.#spawnError : undefined;
  }

  dispatch(event: MachineEvent): void {
    this.#queue.push(event);
    if (this.#busy || this.#retired) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#take(next);
    } finally {
      this.#busy = false;
    }
    this.changes.changed();
    this.#host.settled?.();
  }

  /** Begins with a state that was found, before any event. */
  beginWith(state: ServerState): void {
    this.#state = state;
  }

  /** Lets go of the program without touching its processes: a later agent adopts it. */
  detach(): void {
    this.#retired = true;
    this.#clearTimers();
    this.#incarnation?.drain(Date.now());
    this.#incarnation?.detach();
  }

  /** The start that failed for lack of room can be tried again. */
  retryWithRoom(): void {
    if (this.spawnError?.noRoom) this.dispatch({ type: "timer", inc: this.state.inc, timer: "backoff" });
  }

  /** What an incarnation tells becomes events of the state machine. */
  eventsOf(inc: number): IncarnationEvents {
    const events: IncarnationEvents = {
      spawned: (process, at) => this.dispatch({ type: "spawned", inc, process, at }),
      exited: (exit, at) => this.dispatch({ type: "exited", inc, exit, at }),
      emptied: () => this.dispatch({ type: "emptied", inc }),
      report: (message) => this.#host.report(message),
    };
    return this.#host.filterEvents?.(inc, events) ?? events;
  }

  hold(incarnation: Incarnation | undefined): void {
    if (this.#retired) {
      incarnation?.detach();
      return;
    }
    this.#incarnation = incarnation;
    this.#host.held?.(incarnation);
  }

  /** Nothing of this incarnation is alive, and nothing will be. */
  neverRan(inc: number, error: SpawnError): void {
    this.#spawnError = error;
    const { message: reason, passing, noRoom } = error;
    const lacks = { ...(passing ? { passing } : {}), ...(noRoom ? { noRoom } : {}) };
    this.dispatch({ type: "spawn-failed", inc, reason, ...lacks });
    if (noRoom) this.#host.awaitRoom?.();
  }

  // --- effects --------------------------------------------------------------------------------------------------

  #take(event: MachineEvent): void {
    const now = Date.now();
    const before = this.#state;
    const { state, effects } = step(before, event, this.#host.spec(), { now, clock: monotonic() });
    this.#state = state;
    this.#host.stepped?.(
      event,
      before,
      effects.flatMap((effect) => (effect.type === "publish" ? [transitionOf(effect, now)] : [])),
    );
    for (const effect of effects) this.#perform(effect, now);
  }

  #perform(effect: Effect, now: number): void {
    switch (effect.type) {
      case "record":
        this.#host.record?.(effect.soon ?? false);
        break;
      case "publish":
        // The host has it already, so that the record, which is written first, contains it.
        this.changes.transition(transitionOf(effect, now));
        break;
      case "spawn":
        void this.#spawn(effect.inc);
        break;
      case "signal":
        // While a spawn is under way there is nothing to signal yet: it does that itself when it is done.
        if (effect.inc !== this.#state.inc) break;
        if (this.#incarnation) this.#incarnation.signal(effect.signal, this.#endsAll);
        else this.#host.cancelLaunch?.();
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
        this.#host.probe?.(effect.inc, effect.probe);
        break;
      case "release":
        this.#release();
        break;
      default:
        cannotHappen(effect);
    }
  }

  get #endsAll(): boolean {
    return this.#host.spec().stop.descendants === "all";
  }

  async #spawn(inc: number): Promise<void> {
    this.#spawnError = undefined;
    try {
      this.hold(await this.#host.launch(inc, this.eventsOf(inc)));
      // A stop may have arrived during the launch.
      const { phase } = this.#state;
      if (phase.tag === "ending")
        this.#incarnation?.signal(phase.killed ? "SIGKILL" : this.#host.spec().stop.signal, this.#endsAll);
    } catch (error) {
      this.#removeRun(this.#host.runPath(inc));
      const lacks = { passing: isShortage(error), noRoom: isNoRoom(error) };
      const told =
        error instanceof SpawnError ? error : new SpawnError(`cannot start: ${causeText(error)}`, lacks);
      this.neverRan(inc, told);
    }
  }

  #release(): void {
    this.#leftBehind = this.#incarnation?.left ?? this.#leftBehind;
    try {
      this.#incarnation?.release(Date.now());
    } catch (error) {
      // A read-only state folder, say. What cannot be removed now is removed by the next agent.
      this.#host.report(`cannot clean up after a finished run: ${causeText(error)}`);
    }
    this.hold(undefined);
  }

  /** What cannot be removed now is removed by the next agent. */
  #removeRun(dir: string): void {
    try {
      fs.rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      this.#host.report(`cannot remove ${dir}: ${String(error)}`);
    }
  }

  #setTimer(timer: TimerName, inc: number, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(() => {
        // Whether anything survived SIGKILL could not be looked up: that does not mean that something did.
        if (timer === "stuck" && this.#incarnation?.isBlind) return this.#setTimer(timer, inc, ms);
        const due = () => this.dispatch({ type: "timer", inc, timer });
        const first = this.#host.beforeTimer?.(timer);
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

function transitionOf({ from, to, reason }: Extract<Effect, { type: "publish" }>, at: number): Transition {
  return { from, to, at, ...withoutUndefined({ reason }) };
}

/** See `Moment.clock`. */
const monotonic = () => Number(process.hrtime.bigint() / 1_000_000n);
