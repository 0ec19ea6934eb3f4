import type { Exit } from "../../../src/model/observed.ts";
import {
  type Effect,
  type MachineEvent,
  type ProbeName,
  type Step,
  type SupervisedSpec,
  step,
  type TimerName,
} from "../../../src/supervisor/machine.ts";
import { initialState, type ServerState } from "../../../src/supervisor/state.ts";

/**
 * A simulated host for one server: processes with a nature of their own, a disk that holds what was recorded, and
 * an agent that may die between any two effects. What the agent knows reaches it only through its inbox.
 */

/** How the process of one incarnation behaves. */
export interface Nature {
  readonly spawnDelay: number;
  readonly spawnFails: boolean;
  /** What it lacked may be there again. */
  readonly lacks: boolean;
  /** A signal before the program runs is lost. */
  readonly deafAtBirth: boolean;
  /** It ends by itself after so many ms, undefined: never. */
  readonly lives?: number | undefined;
  readonly endsWith: Exit;
  readonly ignoresSignals: boolean;
  /** Ends with code 0 when it is told to end. */
  readonly polite: boolean;
  /** Ms from a signal to its effect. */
  readonly dying: number;
  /** Ms from SIGKILL to its effect, undefined: it cannot be killed. */
  readonly killed: number | undefined;
  /** Has a child in its group that outlives it. */
  readonly forks: boolean;
  readonly childIgnoresSignals: boolean;
  /** How its end is told: as it was, with its code unknown, or not at all. */
  readonly told: "exact" | "unknown" | "silent";
  /** What its probes answer. */
  readonly answers: boolean;
}

const GOOD: Nature = {
  spawnDelay: 5,
  spawnFails: false,
  lacks: false,
  deafAtBirth: false,
  endsWith: { kind: "code", code: 0 },
  ignoresSignals: false,
  polite: true,
  dying: 5,
  killed: 1,
  forks: false,
  childIgnoresSignals: false,
  told: "exact",
  answers: true,
};

/** What is left of one incarnation on the host. */
export interface Group {
  readonly inc: number;
  readonly nature: Nature;
  pending: boolean;
  main: boolean;
  child: boolean;
  neverRan: boolean;
  /** The agent of now is to be told when it is empty. */
  awaited: boolean;
  released: boolean;
  startedAt?: number;
  exit?: { readonly exit: Exit; readonly at: number };
  signalled: boolean;
}

export interface Agent {
  state: ServerState;
  readonly timers: Map<TimerName, { readonly inc: number; readonly at: number }>;
  /** What happened and was not taken in yet; also timers that fired and may have been cancelled since. */
  readonly inbox: MachineEvent[];
  readonly asked: { readonly inc: number; readonly probe: ProbeName }[];
}

/** Told of everything before the world goes on. */
export interface Witness {
  stepped(world: World, before: ServerState, event: MachineEvent, taken: Step): void;
  /** Before the effect is carried out. */
  doing(world: World, effect: Effect): void;
  recorded(): void;
  /** All effects of a turn were carried out. */
  turned(world: World): void;
  /** The agent is dead: what it did not record is forgotten. */
  died(): void;
}

const BORN = 1_000_000;

export class World {
  now = BORN;
  agent: Agent | undefined;
  readonly groups = new Map<number, Group>();
  /** Every event that an agent ever took in. */
  readonly past: MachineEvent[] = [];
  /** Effects that the agent will still carry out before it dies. */
  fuse = Number.POSITIVE_INFINITY;
  /** From now on every new process is a good one. */
  calm = false;
  spec: SupervisedSpec;
  private readonly natures: readonly Nature[];
  private readonly witness: Witness;
  private readonly later: { readonly at: number; readonly run: () => void }[] = [];
  private disk = JSON.stringify(initialState(BORN));

  constructor(spec: SupervisedSpec, natures: readonly Nature[], witness: Witness) {
    this.spec = spec;
    this.natures = natures;
    this.witness = witness;
    this.agent = newAgent(this.disk);
  }

  // --- what happens to the agent --------------------------------------------------------------------------------

  /** The agent takes one event in. */
  feed(event: MachineEvent): void {
    const { agent } = this;
    if (agent === undefined) return;
    const before = agent.state;
    const taken = step(before, event, this.spec, { now: this.now, clock: this.now });
    agent.state = taken.state;
    if (this.past.length < 200) this.past.push(event);
    this.witness.stepped(this, before, event, taken);
    for (const effect of taken.effects) {
      if (this.fuse-- <= 0) {
        this.die();
        return;
      }
      this.witness.doing(this, effect);
      this.carryOut(effect, agent);
    }
    this.witness.turned(this);
  }

  die(): void {
    this.agent = undefined;
    this.fuse = Number.POSITIVE_INFINITY;
    for (const group of this.groups.values()) group.awaited = false;
    this.witness.died();
  }

  /** A new agent takes over from what was recorded, and looks at what is there. */
  revive(): void {
    if (this.agent !== undefined) this.die();
    this.agent = newAgent(this.disk);
    const group = this.groups.get(this.agent.state.inc);
    const isTold = group !== undefined && !group.released && group.nature.told === "exact";
    const hasTrace = isTold && (group.exit !== undefined || group.neverRan);
    this.feed({ type: "adopted", present: group !== undefined && (isAlive(group) || hasTrace) });
    if (group === undefined || group.inc !== this.agent?.state.inc) return;
    if (group.neverRan && hasTrace) this.tell({ type: "spawn-failed", inc: group.inc, reason: "cannot run" });
    this.tellSpawned(group);
    if (group.exit !== undefined && (hasTrace || isAlive(group))) this.tellExit(group);
    this.tellEmpty(group);
  }

  /** A timer that is due fires into the inbox: a cancel comes too late from now on. */
  ripen(): void {
    const { agent } = this;
    if (agent === undefined) return;
    for (const [timer, { inc, at }] of agent.timers) {
      if (at > this.now) continue;
      agent.timers.delete(timer);
      agent.inbox.push({ type: "timer", inc, timer });
    }
  }

  /** The agent takes in the n-th of what waits for it. */
  deliver(n: number): void {
    const { agent } = this;
    if (agent === undefined || agent.inbox.length === 0) return;
    const [picked] = agent.inbox.splice(n % agent.inbox.length, 1);
    // What is told at all of its start and end is told before its group is empty.
    const isEarlier = (each: MachineEvent) =>
      (each.type === "spawned" || each.type === "exited") &&
      picked?.type === "emptied" &&
      each.inc === picked.inc;
    for (let i = agent.inbox.findIndex(isEarlier); i >= 0; i = agent.inbox.findIndex(isEarlier)) {
      for (const each of agent.inbox.splice(i, 1)) this.feed(each);
    }
    if (picked !== undefined) this.feed(picked);
  }

  answer(n: number, ok: boolean): void {
    const { agent } = this;
    if (agent === undefined || agent.asked.length === 0) return;
    for (const { inc, probe } of agent.asked.splice(n % agent.asked.length, 1)) {
      // Nobody answers for a line of output that did not come.
      if (!ok && this.spec[probe].type === "log") agent.asked.push({ inc, probe });
      else this.feed({ type: "answered", inc, probe, answer: { ok, evidence: ok ? "listens" : "silence" } });
    }
  }

  // --- time -----------------------------------------------------------------------------------------------------

  /** Time passes and nobody tells the agent. */
  pass(ms: number): void {
    const until = this.now + ms;
    while (this.happenNext(until));
    this.now = until;
  }

  /** Time passes, and the agent takes everything in as it comes. */
  run(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      while (this.agent !== undefined && this.agent.inbox.length > 0) this.deliver(0);
      this.answerAll();
      if ((this.agent?.inbox.length ?? 0) > 0) continue;
      const due = this.nextTimer(until);
      if (this.happenNext(due?.at ?? until)) continue;
      if (due === undefined) break;
      this.now = Math.max(this.now, due.at);
      this.agent?.timers.delete(due.timer);
      this.feed({ type: "timer", inc: due.inc, timer: due.timer });
    }
    this.now = until;
  }

  private answerAll(): void {
    const { agent } = this;
    for (const { inc, probe } of agent?.asked.splice(0) ?? []) {
      const group = this.groups.get(inc);
      const ok = group?.main === true && (this.calm || group.nature.answers);
      if (!ok && this.spec[probe].type === "log") agent?.asked.push({ inc, probe });
      else this.feed({ type: "answered", inc, probe, answer: { ok, evidence: ok ? "listens" : "silence" } });
    }
  }

  private nextTimer(until: number): { timer: TimerName; inc: number; at: number } | undefined {
    let next: { timer: TimerName; inc: number; at: number } | undefined;
    for (const [timer, { inc, at }] of this.agent?.timers ?? []) {
      if (at <= until && (next === undefined || at < next.at)) next = { timer, inc, at };
    }
    return next;
  }

  /** Lets the next thing happen on the host, if one does until `until`. */
  private happenNext(until: number): boolean {
    let next = -1;
    for (const [i, { at }] of this.later.entries()) {
      if (at <= until && (next < 0 || at < (this.later[next]?.at ?? 0))) next = i;
    }
    if (next < 0) return false;
    for (const { at, run } of this.later.splice(next, 1)) {
      this.now = Math.max(this.now, at);
      run();
    }
    return true;
  }

  // --- the host -------------------------------------------------------------------------------------------------

  private carryOut(effect: Effect, agent: Agent): void {
    switch (effect.type) {
      case "record":
        // Whether the next record comes first is anybody's guess.
        if (effect.soon && this.past.length % 2 === 0) break;
        this.disk = JSON.stringify(agent.state);
        this.witness.recorded();
        break;
      case "spawn":
        this.spawn(effect.inc);
        break;
      case "signal":
        this.signal(effect.inc, effect.signal);
        break;
      case "setTimer":
        agent.timers.set(effect.timer, { inc: effect.inc, at: this.now + effect.ms });
        break;
      case "cancelTimer":
        agent.timers.delete(effect.timer);
        break;
      case "cancelTimers":
        agent.timers.clear();
        break;
      case "probe":
        agent.asked.push({ inc: effect.inc, probe: effect.probe });
        break;
      case "release":
        for (const group of this.groups.values()) if (group.inc <= effect.inc) group.released = true;
        break;
      case "publish":
        break;
    }
  }

  private spawn(inc: number): void {
    const nature = this.calm ? GOOD : (this.natures[inc % this.natures.length] ?? GOOD);
    const group: Group = {
      inc,
      nature,
      pending: true,
      main: false,
      child: false,
      neverRan: false,
      awaited: false,
      released: false,
      signalled: false,
    };
    this.groups.set(inc, group);
    this.later.push({ at: this.now + nature.spawnDelay, run: () => this.born(group) });
  }

  private born(group: Group): void {
    if (!group.pending) return;
    const { nature } = group;
    group.pending = false;
    if (nature.spawnFails) {
      group.neverRan = true;
      this.tell({ type: "spawn-failed", inc: group.inc, reason: "cannot run", passing: nature.lacks });
      return;
    }
    group.main = true;
    group.child = nature.forks;
    group.startedAt = this.now;
    this.tellSpawned(group);
    if (nature.lives === undefined) return;
    this.later.push({ at: this.now + nature.lives, run: () => this.mainEnds(group, nature.endsWith) });
  }

  private signal(inc: number, signal: string): void {
    const group = this.groups.get(inc);
    if (group === undefined) return;
    const { nature } = group;
    group.signalled = true;
    group.awaited = true;
    const exit: Exit =
      nature.polite && signal !== "SIGKILL" ? { kind: "code", code: 0 } : { kind: "signal", signal };
    if (group.pending && !nature.deafAtBirth) {
      group.pending = false;
      group.main = true;
      this.mainEnds(group, exit);
      return;
    }
    if (signal === "SIGKILL") {
      if (nature.killed !== undefined) this.dieAfter(group, nature.killed, exit, true, true);
    } else {
      this.dieAfter(group, nature.dying, exit, !nature.ignoresSignals, !nature.childIgnoresSignals);
    }
    this.tellEmpty(group);
  }

  private dieAfter(group: Group, ms: number, exit: Exit, main: boolean, child: boolean): void {
    if (group.pending) return;
    const run = () => {
      if (child) group.child = false;
      if (main) this.mainEnds(group, exit);
      else this.tellEmpty(group);
    };
    this.later.push({ at: this.now + ms, run });
  }

  /** The newest process ends by itself. */
  exit(exit: Exit): void {
    const group = this.newest();
    if (group?.main) this.mainEnds(group, exit);
  }

  /** What its main process left behind ends. */
  childEnds(): void {
    const group = this.newest();
    if (!group?.child) return;
    group.child = false;
    this.tellEmpty(group);
  }

  newest(): Group | undefined {
    return this.groups.get(this.groups.size) ?? [...this.groups.values()].at(-1);
  }

  private mainEnds(group: Group, exit: Exit): void {
    if (group.main) {
      group.main = false;
      group.exit = { exit, at: this.now };
      this.tellExit(group);
    }
    this.tellEmpty(group);
  }

  // --- what the agent is told -----------------------------------------------------------------------------------

  private tell(event: MachineEvent): void {
    this.agent?.inbox.push(event);
  }

  private tellSpawned({ inc, startedAt }: Group): void {
    if (startedAt === undefined) return;
    this.tell({ type: "spawned", inc, process: { pid: 100 + inc, start: "s", boot: "b" }, at: startedAt });
  }

  private tellExit({ inc, nature, exit }: Group): void {
    if (exit === undefined || nature.told === "silent") return;
    const known = nature.told === "exact" ? exit.exit : ({ kind: "unknown" } as const);
    this.tell({ type: "exited", inc, exit: known, at: exit.at });
  }

  private tellEmpty(group: Group): void {
    if (isAlive(group) || !(group.awaited || group.nature.told === "silent")) return;
    this.tell({ type: "emptied", inc: group.inc });
  }
}

export function isAlive(group: Group): boolean {
  return group.pending || group.main || group.child;
}

function newAgent(disk: string): Agent {
  return { state: JSON.parse(disk) as ServerState, timers: new Map(), inbox: [], asked: [] };
}
