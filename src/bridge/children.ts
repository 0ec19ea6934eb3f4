import { MODERN } from "./eras/envelope.ts";
import { Eras } from "./eras/eras.ts";
import { legacyResult } from "./eras/translate.ts";
import type { Host } from "./host.ts";
import { type Common, hostOf, type Means, modernHost, sharedHost } from "./hosts.ts";
import type { Link, Peer } from "./link.ts";
import { Acquaintance } from "./lists.ts";
import type { Id } from "./message.ts";
import { Refused } from "./opening.ts";
import { Proof, type Proven } from "./proof.ts";
import type { Session } from "./session.ts";
import { Pace } from "./starts.ts";

export interface ChildrenOptions extends Means {
  /** `session`: a child for each client; `all`: one for all of them. */
  readonly share: "session" | "all";
  /** `on-demand`: a child is started for what only a child can answer. */
  readonly start: "eager" | "on-demand";
  /** Idle for so long, a child is ended until it is needed again, ms; undefined: never. */
  readonly idleStop?: number | undefined;
  readonly maxChildren: number;
  /** Children that are started in a second. */
  readonly maxStarts: number;
}

/** A client whose last stream was closed is gone, when it does not come back within this, ms. */
const GONE_AFTER = 5000;
/** The same of one that never had a stream: between two of its requests much time may pass, ms. */
const SILENT_AFTER = 600_000;
/** Between two looks at which children are idle, ms. */
const LOOK_GAP = 1000;
/** A client waits so long for others to need their children no more, where there may be no further child, ms. */
const ROOM_BOUND = 30_000;
const ROOM_GAP = 100;

/** A running child, as it is shown. */
export interface RunningChild {
  /** The session that it works for; undefined: all of them. */
  readonly session: string | undefined;
  readonly pid: number;
  /** Unix ms. */
  readonly startedAt: number;
  /** A request is being worked on. */
  readonly isBusy: boolean;
}

/** The places for children: one for each session, or one for all. */
export class Children {
  readonly #options: ChildrenOptions;
  readonly #common: Common;
  readonly #sessions: () => Session[];
  /** By session; at undefined the one that all share, or else the one in which the server proves itself. */
  readonly #hosts = new Map<Session | undefined, Host>();
  readonly #proof: Proof;
  readonly #look: NodeJS.Timeout;
  readonly eras: Eras;

  /** `sessions`: those that are known at the time. */
  constructor(options: ChildrenOptions, sessions: () => Session[]) {
    this.#options = options;
    this.#sessions = sessions;
    const acquaintance = new Acquaintance();
    const pace = new Pace(options.maxStarts);
    this.#common = {
      ...options,
      turn: () => passed(pace.taken(Date.now())),
      known: (introduction) => acquaintance.of(introduction),
      crashed: (why) => this.#proof.crashed(why),
    };
    this.eras = new Eras(options, {
      ...{ isForSessions: options.share === "session", sessions },
      shared: () => this.#at(undefined),
      sharedLink: () => this.#linkAt(undefined),
    });
    this.#proof = new Proof(
      options.restart,
      () => this.#at(undefined),
      () => this.#linkAt(undefined),
      (host) => void this.#proved(host),
    );
    this.#look = setInterval(() => this.#sleepIdle(Date.now()), LOOK_GAP);
  }

  /** All clients share one child that has sessions. */
  get isShared(): boolean {
    return this.#isOne && !this.eras.isModern;
  }

  /** There is one child for all, because that was declared, or because it has no sessions. */
  get #isOne(): boolean {
    return this.#options.share === "all" || this.eras.isModern;
  }

  get share(): "session" | "all" {
    return this.#options.share;
  }

  get start(): "eager" | "on-demand" {
    return this.#options.start;
  }

  get running(): RunningChild[] {
    return [...this.#hosts].flatMap(([session, { pid, startedAt, isBusy }]) =>
      pid === undefined || startedAt === undefined
        ? []
        : [{ session: session?.label, pid, startedAt, isBusy }],
    );
  }

  /** Whether the server works, as far as that was tried. */
  get proven(): Proven {
    return this.#proof.proven;
  }

  /** No child is there where there could be one: the next request starts it. */
  get isAsleep(): boolean {
    const isNone = [...this.#hosts.values()].every(({ isAwake }) => !isAwake);
    const isWaited = this.#isOne || this.#options.start === "on-demand" || this.#sessions().length > 0;
    return isNone && isWaited && this.proven.ok;
  }

  /** What the server answered to `initialize` last, when it was tried. */
  get greeting(): string | undefined {
    return this.eras.greeting(this.#at(undefined), MODERN);
  }

  /** What the server listed last, when it was tried or by the child that all share. */
  listed(method: string): string | undefined {
    return this.#at(undefined).lists.answer(method, 0);
  }

  /** Has the server prove that it works. Settles with why it ended, if it does so at once. */
  prove(): Promise<string | undefined> {
    return this.#proof.begin();
  }

  /** What a child answered to `initialize`. Of a child on demand it may be known without one. */
  async greeted(session: Session): Promise<string> {
    if (this.#options.start === "eager" || !this.#of(session).greetAsKnown()) await this.reached(session);
    return this.eras.greeting(this.#of(session)) ?? "";
  }

  /** A list as the child said it last, while it sleeps; undefined: it has to be asked. */
  remembered(
    session: Session,
    method: string,
    params: Readonly<Record<string, unknown>>,
    id: Id,
  ): string | undefined {
    const list = this.#of(session).remembered(method, params, id);
    return list === undefined || !this.eras.isModern ? list : legacyResult(list);
  }

  /** Who takes a session's messages, started if need be. */
  async reached(session: Session): Promise<Peer> {
    const link = await this.#linkAt(session);
    return this.eras.isModern ? this.eras.oldClient(session) : link;
  }

  /** The same, where nothing is started for it. */
  peer(session: Session): Peer | undefined {
    return this.eras.isModern ? this.eras.oldClient(session) : this.#of(session).running;
  }

  #of(session: Session): Host {
    return this.#at(this.#isOne ? undefined : session);
  }

  #at(key: Session | undefined): Host {
    const { eras } = this;
    const known = this.#hosts.get(key);
    if (known?.isModern === eras.isModern) return known;
    // The server is another program now.
    void known?.close();
    const sessions = this.#isOne ? this.#sessions : () => [];
    const host = key
      ? hostOf(key, this.#common, eras)
      : (eras.isModern ? modernHost : sharedHost)(sessions, this.#common, eras);
    this.#hosts.set(key, host);
    return host;
  }

  async #linkAt(session: Session | undefined): Promise<Link> {
    for (let isAgain = false; ; isAgain = true) {
      await this.eras.finder.found();
      const { era } = this.eras.finder;
      try {
        return await this.#reached(session === undefined ? this.#at(undefined) : this.#of(session));
      } catch (error) {
        this.eras.finder.doubt();
        // It has shown to be of the other era.
        if (isAgain || !(error instanceof Refused) || this.eras.finder.era === era) throw error;
      }
    }
  }

  /** The one that was idle longest has to sleep where there are too many. */
  async #reached(host: Host): Promise<Link> {
    const until = Date.now() + ROOM_BOUND;
    const others = () => [...this.#hosts.values()].filter((one) => one !== host && one.isAwake);
    while (!host.isAwake && others().length >= this.#options.maxChildren) {
      const idle = oldest(others().filter(({ isBusy }) => !isBusy));
      if (idle !== undefined) await idle.sleep();
      else if (Date.now() < until) await passed(ROOM_GAP);
      else throw new Error(`${others().length} of it are at work for other clients`);
    }
    return host.reached();
  }

  /** The session is over, and so is the child of its own. Settles when nothing of that is left. */
  async drop(session: Session): Promise<void> {
    this.eras.forget(session);
    const host = this.#hosts.get(session);
    this.#hosts.delete(session);
    await host?.close();
  }

  /** Ends all of them. Settles when nothing of them is left. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    this.#proof.close();
    await Promise.all([this.eras.finder, ...this.#hosts.values()].map((one) => one.close()));
  }

  /** A child that all share, and that is not only started on demand, is there for the first client. */
  async #proved(host: Host): Promise<void> {
    if (this.#isOne && this.#options.start === "eager") return;
    const { usedAt } = host;
    // It may be asked whether its lists are as they were.
    while (host.isBusy && host.usedAt === usedAt) await passed(ROOM_GAP);
    if (host.usedAt === usedAt) await host.sleep();
  }

  #sleepIdle(now: number): void {
    const { idleStop = Number.POSITIVE_INFINITY } = this.#options;
    for (const [session, host] of this.#hosts) {
      if (!host.isAwake || host.isBusy) continue;
      const since = now - Math.max(host.usedAt, session?.usedAt ?? 0);
      const isGone =
        session !== undefined &&
        !session.isConnected &&
        since > (session.hadStream ? GONE_AFTER : SILENT_AFTER);
      const isAlone =
        session === undefined &&
        this.#options.start === "on-demand" &&
        this.#sessions().length === 0 &&
        since > this.#patience(now);
      if (since > idleStop || isGone || isAlone) void host.sleep();
    }
  }

  /** How long a child waits for anybody to come: clients without sessions do not say when they go. */
  #patience(now: number): number {
    const { isIdle, usedAt = Number.NEGATIVE_INFINITY } = this.eras.clients;
    if (!isIdle) return Number.POSITIVE_INFINITY;
    return now - usedAt < SILENT_AFTER ? SILENT_AFTER : GONE_AFTER;
  }
}

async function passed(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

/** The one that was used longest ago. */
export function oldest<T extends { readonly usedAt: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(
    (old, one) => (old === undefined || one.usedAt < old.usedAt ? one : old),
    undefined,
  );
}
