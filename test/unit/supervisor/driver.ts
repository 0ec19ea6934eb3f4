import type { Exit } from "../../../src/model/observed.ts";
import {
  type Effect,
  type MachineEvent,
  type Moment,
  type ProbeName,
  type SupervisedSpec,
  step,
  type TimerName,
} from "../../../src/supervisor/machine.ts";
import { initialState, publicState, type ServerState } from "../../../src/supervisor/state.ts";

const BORN = 1_000_000;

/** Drives one machine under a fake clock: it keeps the timers, and notes every other effect as a line of `said`. */
export class Driver {
  now = BORN;
  /** How far the machine's clock is off: it was set. */
  setBy = 0;
  state: ServerState = initialState(BORN);
  /** What was asked for since the last look, e.g. `spawn 1`, `signal 1 SIGTERM`, `probe 1 liveness`. */
  private said: string[] = [];
  private recorded = JSON.stringify(this.state);
  private timers = new Map<TimerName, { readonly inc: number; readonly at: number }>();

  spec: SupervisedSpec;

  constructor(spec: SupervisedSpec) {
    this.spec = spec;
  }

  get is() {
    return publicState(this.state);
  }

  /** Time goes on with `now`; that is what the machine's own clock says, too, until it is set. */
  get moment(): Moment {
    return { now: this.now, clock: this.now - this.setBy };
  }

  /** Somebody sets the machine's clock. */
  setClock(by: number): this {
    this.now += by;
    this.setBy += by;
    for (const [timer, { inc, at }] of this.timers) this.timers.set(timer, { inc, at: at + by });
    return this;
  }

  /** What was asked for since the last look. */
  look(): string[] {
    return this.said.splice(0);
  }

  pause(forMs?: number): this {
    return this.send({ type: "pause", until: forMs === undefined ? null : this.now + forMs });
  }

  resume(): this {
    return this.send({ type: "resume" });
  }

  pending(): string[] {
    return [...this.timers.keys()].sort();
  }

  send(event: MachineEvent): this {
    const { state, effects } = step(this.state, event, this.spec, this.moment);
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
    return this;
  }

  /** The program runs. */
  spawned(inc = this.state.inc): this {
    const process = { pid: 100 + inc, start: `s${inc}`, boot: "b" };
    return this.send({ type: "spawned", inc, process, at: this.now });
  }

  /** `start` and what follows, until it runs. */
  up(): this {
    this.send({ type: "start" }).spawned().look();
    return this;
  }

  /** The main process ends: with a code, or by a signal. */
  exited(how: number | string, inc = this.state.inc): this {
    const exit: Exit =
      typeof how === "number" ? { kind: "code", code: how } : { kind: "signal", signal: how };
    return this.send({ type: "exited", inc, exit, at: this.now });
  }

  emptied(inc = this.state.inc): this {
    return this.send({ type: "emptied", inc });
  }

  /** The main process ends, and nothing else is in its group. */
  dies(how: number | string): this {
    return this.exited(how).emptied();
  }

  answers(probe: ProbeName, ok: boolean, costly = false): this {
    const answer = { ok, evidence: ok ? "listens" : "nothing listens", costly };
    return this.send({ type: "answered", inc: this.state.inc, probe, answer });
  }

  /** Time passes, each timer fires when it is due. */
  pass(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const next = [...this.timers]
        .filter(([, { at }]) => at <= until)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) break;
      const [timer, { inc, at }] = next;
      this.now = Math.max(this.now, at);
      this.timers.delete(timer);
      this.send({ type: "timer", inc, timer });
    }
    this.now = until;
    return this;
  }

  /** The agent dies, `away` ms go by, and the next one finds what was recorded. */
  replaced(present: boolean, away = 0): this {
    this.timers.clear();
    this.said = [];
    this.now += away;
    this.state = JSON.parse(this.recorded) as ServerState;
    return this.send({ type: "adopted", present });
  }

  private carryOut(effect: Effect): void {
    switch (effect.type) {
      case "record":
        this.recorded = JSON.stringify(this.state);
        break;
      case "setTimer":
        this.timers.set(effect.timer, { inc: effect.inc, at: this.now + effect.ms });
        break;
      case "cancelTimer":
        this.timers.delete(effect.timer);
        break;
      case "cancelTimers":
        this.timers.clear();
        break;
      case "publish":
        break;
      case "signal":
        this.said.push(`signal ${effect.inc} ${effect.signal}`);
        break;
      case "probe":
        this.said.push(`probe ${effect.inc} ${effect.probe}`);
        break;
      default:
        this.said.push(`${effect.type} ${effect.inc}`);
    }
  }
}
