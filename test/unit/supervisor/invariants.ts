import { type Exit, formatExit } from "../../../src/model/observed.ts";
import { startTimeoutOf } from "../../../src/model/start.ts";
import { type Effect, type MachineEvent, STUCK_AFTER, type Step } from "../../../src/supervisor/machine.ts";
import { isEarly, publicState, readyFor, type ServerState } from "../../../src/supervisor/state.ts";
import { type Group, isAlive, type Witness, type World } from "./world.ts";

/** What the checks know besides the world; as with the agent, what follows the last record is forgotten at its death. */
interface Book {
  /** The last word of a person that was taken in. */
  readonly word: "start" | "stop" | undefined;
  /** Unix ms of each restart decided since a person's start. */
  readonly decided: readonly number[];
  /** The last backoff since a person's start. */
  readonly delay: number | undefined;
  /** Incarnations that the agent was told are empty, or never ran. */
  readonly empty: ReadonlySet<number>;
  /** The last end wanted no restart. */
  readonly rests: boolean;
}

/** One turn of the machine. */
interface Turn {
  readonly world: World;
  readonly before: ServerState;
  readonly event: MachineEvent;
  readonly after: ServerState;
  readonly effects: readonly Effect[];
  /** Before this turn. */
  readonly book: Book;
  readonly killedAt: ReadonlyMap<number, number>;
}

/** Says what is wrong, or nothing. */
interface Invariant {
  readonly turn?: (turn: Turn) => string | undefined;
  readonly effect?: (effect: Effect, world: World, book: Book) => string | undefined;
  /** After all effects of a turn. */
  readonly turned?: (world: World) => string | undefined;
  /** Once everything is quiet: time ran, and nobody said anything. */
  readonly quiet?: (world: World, book: Book) => string | undefined;
}

const INVARIANTS = {
  "never two live groups": {
    effect(effect, world) {
      if (effect.type !== "spawn") return undefined;
      const alive = [...world.groups.values()].filter(isAlive);
      return alive.length > 0 ? `spawns ${effect.inc} while ${alive.map((g) => g.inc)} lives` : undefined;
    },
  },

  "an incarnation is spawned once, and let go only when it is over": {
    effect(effect, world) {
      if (effect.type === "spawn" && world.groups.has(effect.inc)) return `spawns ${effect.inc} twice`;
      if (effect.type !== "release") return undefined;
      const alive = [...world.groups.values()].filter((group) => group.inc <= effect.inc && isAlive(group));
      return alive.length > 0 ? `lets ${effect.inc} go while it lives` : undefined;
    },
  },

  "a stop ends in stopped, or in failed: cannot be killed": {
    quiet(world, { word }) {
      const state = world.agent?.state;
      if (word !== "stop" || state === undefined || state.phase.tag === "stopped") return undefined;
      const unkillable = state.phase.tag === "failed" && UNKILLABLE.has(state.reason ?? "");
      return unkillable ? undefined : `ended in ${publicState(state)}: ${state.reason}`;
    },
  },

  "failed only through too many restarts, a spawn error, an early end, or what cannot be killed": {
    turn({ world, before, event, after, book, killedAt }) {
      if (willFail(before) || !willFail(after)) return undefined;
      if (event.type === "spawn-failed") return undefined;
      if (event.type === "timer" && event.timer === "stuck") {
        const waited = world.now - (killedAt.get(after.inc) ?? world.now);
        return waited >= STUCK_AFTER ? undefined : `gave up ${waited} ms after SIGKILL`;
      }
      const isLast = (before.retries.failures ?? 0) >= 10 || (before.retries.missed ?? 0) >= 2;
      if (isLast || world.spec.restart.policy === "never") return undefined;
      const exit = after.lastExit?.exit;
      if (isEarly(before, world.spec) && exit !== undefined && !wantsRestart(exit, world)) return undefined;
      const counted = book.decided.filter((at) => at > world.now - 60_000).length;
      const limit = world.spec.restart.maxRetriesPerMinute;
      return counted >= limit ? undefined : `failed on ${event.type} with ${counted} of ${limit} restarts`;
    },
  },

  "the backoff doubles, up to its maximum, and starts over only after reset-after": {
    turn({ world, before, event, after, book }) {
      const until = decidedUntil(before, after);
      if (until === undefined) return undefined;
      const { backoffInitial, backoffMax, resetAfter } = world.spec.restart;
      const reset = readyTime(world, before, event) >= resetAfter;
      const grown = reset || book.delay === undefined ? backoffInitial : book.delay * 2;
      const [delay, expected] = [until - world.now, Math.min(grown, backoffMax)];
      return delay === expected ? undefined : `waits ${delay} ms after ${book.delay} ms, not ${expected}`;
    },
  },

  "no event of an old incarnation acts": {
    turn({ before, event, after, effects }) {
      if (!("inc" in event) || event.inc === before.inc) return undefined;
      return after === before && effects.length === 0 ? undefined : `${event.type} of ${event.inc} acted`;
    },
  },

  "no effect names another incarnation than the newest": {
    turn({ before, after, effects }) {
      const strange = effects.find(
        (e) => "inc" in e && e.inc !== after.inc && !(e.type === "release" && e.inc === before.inc),
      );
      return strange && `${strange.type} of another incarnation in ${after.inc}`;
    },
  },

  "nothing is signalled that was not spawned or is known to be empty": {
    effect(effect, world, book) {
      if (effect.type !== "signal") return undefined;
      const group = world.groups.get(effect.inc);
      if (group === undefined) return `signals ${effect.inc}, which was never spawned`;
      if (group.released) return `signals ${effect.inc}, which was let go`;
      return book.empty.has(effect.inc) ? `signals ${effect.inc}, known to be empty` : undefined;
    },
  },

  "no timer is left in stopped and failed, and only the backoff's in waiting": {
    turned({ agent }) {
      const tag = agent?.state.phase.tag;
      const allowed = tag === "waiting" ? ["backoff", "pause"] : ["pause"];
      const left = [...(agent?.timers.keys() ?? [])].filter((timer) => !allowed.includes(timer));
      return isInactive(tag) && left.length > 0 ? `${left} left in ${tag}` : undefined;
    },
  },

  "an end that wants no restart is followed by none": {
    effect(effect, world, book) {
      if (effect.type !== "spawn") return undefined;
      const last = world.groups.get(Math.max(0, ...world.groups.keys()));
      if (book.rests || (last !== undefined && finished(last, world))) {
        return `spawns ${effect.inc} after ${last?.exit && formatExit(last.exit.exit)}`;
      }
      return undefined;
    },
  },

  "at most max-retries-per-minute restarts are decided in a minute": {
    turn({ world, before, after, book }) {
      if (decidedUntil(before, after) === undefined) return undefined;
      const counted = book.decided.filter((at) => at > world.now - 60_000).length + 1;
      const limit = world.spec.restart.maxRetriesPerMinute;
      return counted <= limit ? undefined : `${counted} restarts in a minute`;
    },
  },

  "the restart count is the number of restarts decided": {
    turn({ world, before, event, after, book }) {
      const decided = entry(book, world, before, event, after).decided.length;
      return after.restartCount === decided ? undefined : `counts ${after.restartCount} of ${decided}`;
    },
  },

  "no answer ends a server in its start": {
    turn({ world, before, event, after }) {
      if (event.type !== "answered" || before.phase.tag !== "running" || after.phase.tag === "running")
        return undefined;
      const up = world.now - before.phase.startedAt;
      if (before.phase.start !== undefined && world.spec.readiness.type !== "none")
        return `ended after ${up} ms, never ready`;
      const { readiness, liveness } = world.spec;
      const early = readiness.type === "none" && liveness.type !== "none" && up < liveness.startPeriod;
      return early ? `ended after ${up} ms` : undefined;
    },
  },

  "a start has all of its time": {
    turn({ world, before, event, after }) {
      if (event.type !== "timer" || event.timer !== "start" || before.phase === after.phase) return undefined;
      if (before.phase.tag !== "running" || after.phase.tag === "running") return undefined;
      const up = world.now - (world.groups.get(before.inc)?.startedAt ?? world.now);
      return up < startTimeoutOf(world.spec) ? `ended after ${up} ms` : undefined;
    },
  },

  "whatever xy itself brought about is explained": {
    turn({ world, before, event, after, book }) {
      if (publicState(after) === "running" || publicState(after) === "starting") return undefined;
      if (after.inc === 0 || after.reason !== undefined) return undefined;
      const { word } = entry(book, world, before, event, after);
      const isAsked = word === "stop" || (after.phase.tag === "ending" && after.phase.after.kind === "start");
      return isAsked ? undefined : `${publicState(after)} on ${event.type} has no reason`;
    },
  },

  "while paused nothing is started but by a person's word": {
    turn({ before, event, effects }) {
      if (!before.paused || !effects.some(({ type }) => type === "spawn")) return undefined;
      if (["start", "restart", "resume"].includes(event.type) || isPauseEnd(event)) return undefined;
      const asked = before.phase.tag === "ending" && before.phase.after.kind === "start";
      return asked ? undefined : `${event.type} in ${before.phase.tag} spawns`;
    },
  },

  "a pause and its end signal nothing": {
    turn({ event, effects }) {
      const isPause = event.type === "pause" || isPauseEnd(event);
      return isPause && effects.some(({ type }) => type === "signal") ? `${event.type} signals` : undefined;
    },
  },

  "while paused a server that is up is ended only by a person's word": {
    turn({ before, event, after }) {
      if (!before.paused || before.phase.tag !== "running" || after.phase.tag === "running") return undefined;
      const words: readonly string[] = ["stop", "kill", "restart", "exited", "emptied", "adopted"];
      return words.includes(event.type) ? undefined : `ended on ${event.type}`;
    },
  },

  "a pause ends by a person's word, or when its time is over": {
    turn({ world, before, event, after }) {
      if (!before.paused || after.paused || event.type === "resume") return undefined;
      const { until } = before.paused;
      const isOver = isPauseEnd(event) && until !== null && until <= world.now;
      return isOver ? undefined : `ended on ${event.type}, with until ${until} at ${world.now}`;
    },
  },

  "a pause that has an end has a timer for it, and no other pause has": {
    turned({ agent }) {
      if (agent === undefined) return undefined;
      const hasEnd = typeof agent.state.paused?.until === "number";
      const timer = agent.timers.get("pause");
      const fired = agent.inbox.some((event) => isPauseEnd(event) && event.inc === agent.state.inc);
      if (!hasEnd) return timer === undefined ? undefined : "a timer without a pause";
      if (timer !== undefined && timer.inc !== agent.state.inc) return `its timer is of ${timer.inc}`;
      return timer !== undefined || fired ? undefined : "nothing will end it";
    },
  },

  "left alone, a server comes to rest or runs": {
    quiet({ agent }) {
      const tag = agent?.state.phase.tag ?? "stopped";
      return ["stopped", "failed", "running"].includes(tag) ? undefined : `still ${tag}`;
    },
  },

  "a running server is watched, by one chain of probes each": {
    quiet({ agent, spec, groups }) {
      // A main process whose end nobody told leaves its server running for as long as its group does.
      if (agent?.state.phase.tag !== "running" || !groups.get(agent.state.inc)?.main) return undefined;
      if (agent.state.phase.ready.verdict.status !== "ok") return "it is not ready";
      if (agent.asked.some(({ inc }) => inc === agent.state.inc)) return "it has unanswered probes";
      if (spec.liveness.type === "none") return undefined;
      return agent.timers.has("liveness") ? undefined : "nobody asks for its liveness";
    },
  },
} satisfies Record<string, Invariant>;

const isPauseEnd = (event: MachineEvent): event is Extract<MachineEvent, { type: "timer" }> =>
  event.type === "timer" && event.timer === "pause";

const UNKILLABLE = new Set(["cannot be killed", "could not be killed in time, exited later"]);

function isInactive(tag: string | undefined): boolean {
  return tag === "stopped" || tag === "failed" || tag === "waiting";
}

function willFail({ phase }: ServerState): boolean {
  return phase.tag === "failed" || (phase.tag === "ending" && phase.after.kind === "fail");
}

/** Unix ms up to which this turn decided to wait, when it decided on a restart. */
function decidedUntil(before: ServerState, after: ServerState): number | undefined {
  const until = backoffOf(after);
  // A start that waits for the end of a pause is no restart.
  const isCounted = after.retries !== before.retries;
  if (
    after.phase.tag === "waiting" &&
    !["running", "ending", "waiting"].includes(before.phase.tag) &&
    !isCounted
  )
    return undefined;
  return until !== undefined && backoffOf(before) === undefined ? until : undefined;
}

function backoffOf({ phase }: ServerState): number | undefined {
  if (phase.tag === "waiting") return phase.until;
  return phase.tag === "ending" && phase.after.kind === "backoff" ? phase.after.until : undefined;
}

/** An end that nobody told is one of now. */
function readyTime(world: World, before: ServerState, event: MachineEvent): number {
  return readyFor(before, event.type === "exited" ? event.at : world.now) ?? 0;
}

/** It ended by itself in a way that wants no restart, and the agent can find that out. */
function finished(group: Group, world: World): boolean {
  if (group.exit === undefined || group.signalled || group.nature.told !== "exact") return false;
  return !wantsRestart(group.exit.exit, world);
}

function wantsRestart(exit: Exit, { spec }: World): boolean {
  const { policy, successExitCodes } = spec.restart;
  if (policy !== "on-failure") return policy === "always";
  return exit.kind !== "code" || !successExitCodes.includes(exit.code);
}

/** The book after one turn. */
function entry(book: Book, world: World, before: ServerState, event: MachineEvent, after: ServerState): Book {
  const { tag } = before.phase;
  switch (event.type) {
    case "stop":
    case "kill":
      return { ...book, word: "stop" };
    case "start":
    case "restart":
    case "start-with-agent": {
      const isStuck = before.phase.tag === "failed" && before.phase.stuck;
      const isUp = event.type !== "restart" && (tag === "starting" || tag === "running");
      const waits = event.type === "start-with-agent" && before.paused !== undefined;
      const next = { ...book, word: "start", rests: false } as const;
      if (waits) return tag === "ending" ? book : next;
      return isStuck || isUp ? next : { ...next, decided: [], delay: undefined };
    }
    case "spawn-failed":
    case "emptied":
    case "adopted":
    case "exited": {
      const until = decidedUntil(before, after);
      const next = until === undefined ? book : decision(book, until, world.now);
      if (event.type === "exited") {
        const isOwn = event.inc === before.inc && (tag === "running" || tag === "starting");
        return isOwn ? { ...next, rests: !wantsRestart(event.exit, world) } : next;
      }
      if (event.type === "adopted" ? event.present : event.inc !== before.inc) return next;
      return { ...next, empty: new Set(book.empty).add(before.inc) };
    }
    case "timer":
    case "answered": {
      const until = decidedUntil(before, after);
      return until === undefined ? book : decision(book, until, world.now);
    }
    default:
      return book;
  }
}

function decision(book: Book, until: number, now: number): Book {
  return { ...book, decided: [...book.decided, now], delay: until - now };
}

const BLANK: Book = { word: undefined, decided: [], delay: undefined, empty: new Set(), rests: false };
const CHECKS: readonly (readonly [string, Invariant])[] = Object.entries(INVARIANTS);

/** Holds every turn and effect against the invariants, and throws with the name of the one that is broken. */
export class Inspector implements Witness {
  /** How often each kind of thing was seen: a world in which nothing happens proves nothing. */
  readonly seen: Map<string, number>;
  private book = BLANK;
  private recordedBook = BLANK;
  private readonly killedAt = new Map<number, number>();

  constructor(seen: Map<string, number>) {
    this.seen = seen;
  }

  stepped(world: World, before: ServerState, event: MachineEvent, { state: after, effects }: Step): void {
    const turn: Turn = { world, before, event, after, effects, book: this.book, killedAt: this.killedAt };
    for (const [name, { turn: check }] of CHECKS) complain(name, check?.(turn));
    this.book = entry(this.book, world, before, event, after);
    if (event.type === "start" || event.type === "restart" || event.type === "start-with-agent") {
      for (const group of world.groups.values()) group.signalled = true;
    }
    this.tally(before, event, after, world.now);
  }

  doing(world: World, effect: Effect): void {
    for (const [name, { effect: check }] of CHECKS) complain(name, check?.(effect, world, this.book));
    if (effect.type !== "signal" || effect.signal !== "SIGKILL" || this.killedAt.has(effect.inc)) return;
    this.killedAt.set(effect.inc, world.now);
  }

  turned(world: World): void {
    for (const [name, { turned: check }] of CHECKS) complain(name, check?.(world));
  }

  quiet(world: World): void {
    for (const [name, { quiet: check }] of CHECKS) complain(name, check?.(world, this.book));
    this.count(`quiet ${world.agent?.state.phase.tag}, last word ${this.book.word}`);
  }

  recorded(): void {
    this.recordedBook = this.book;
  }

  died(): void {
    this.book = this.recordedBook;
  }

  private tally(before: ServerState, event: MachineEvent, after: ServerState, now: number): void {
    if (event.type === "adopted")
      this.count(`adopted ${before.phase.tag}, ${event.present ? "found" : "gone"}`);
    if ("inc" in event && event.inc !== before.inc) this.count("late event");
    const [from, to] = [publicState(before), publicState(after)];
    if (from !== to) this.count(`${from} --> ${to}`);
    if (before.paused && after.paused) this.count(`${event.type} while paused`);
    if (before.paused && !after.paused && after.phase.tag === "starting")
      this.count("spawned as the pause ended");
    if (after.paused && after.inc > before.inc) this.count("spawned while paused");
    if (event.type === "adopted" && before.paused?.until != null && before.paused.until <= now)
      this.count("adopted at the end of a pause");
    if (after.paused && after.phase.tag === "running" && after.phase.healthy.verdict.status === "failing")
      this.count("unhealthy while paused");
    if (decidedUntil(before, after) !== undefined) this.count(`restart on ${event.type}`);
    if (!willFail(before) && willFail(after)) {
      this.count(`failed on ${event.type}`);
      if (after.reason?.includes("not ready within")) this.count("failed for taking too long");
      if (after.reason?.includes("before it was ready")) this.count("failed for ending too early");
    }
    if (!("inc" in event)) this.count(`${event.type} in ${before.phase.tag}`);
  }

  private count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}

function complain(name: string, what: string | undefined): void {
  if (what !== undefined) throw new Error(`broken: ${name}: ${what}`);
}
