import type { Host } from "./host.ts";
import { type Common, hostOf, type Means, sharedHost } from "./hosts.ts";
import type { Link } from "./link.ts";
import { Acquaintance } from "./lists.ts";
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
    const proving = this.#at(undefined);
    this.#proof = new Proof(
      proving,
      () => this.#reached(proving),
      (host) => this.#proved(host),
    );
    this.#look = setInterval(() => this.#sleepIdle(Date.now()), LOOK_GAP);
  }

  get isShared(): boolean {
    return this.#options.share === "all";
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
    const isWaited = this.isShared || this.#options.start === "on-demand" || this.#sessions().length > 0;
    return isNone && isWaited && this.proven.ok;
  }

  /** What the server answered to `initialize` last, when it was tried. */
  get greeting(): string | undefined {
    return this.#at(undefined).greeting;
  }

  /** What the server listed last, when it was tried or by the child that all share. */
  listed(method: string): string | undefined {
    return this.#at(undefined).lists.answer(method, 0);
  }

  /** Has the server prove that it works. */
  prove(): void {
    this.#proof.begin();
  }

  /** The place of a session's child. */
  of(session: Session): Host {
    return this.#at(this.isShared ? undefined : session);
  }

  /** What a child answered to `initialize`. Of a child on demand it may be known without one. */
  async greeted(session: Session): Promise<string> {
    const host = this.of(session);
    if (this.#options.start === "eager" || !host.greetAsKnown()) await this.#reached(host);
    return host.greeting ?? "";
  }

  /** The child of a session, started if need be. */
  reached(session: Session): Promise<Link> {
    return this.#reached(this.of(session));
  }

  #at(key: Session | undefined): Host {
    const known = this.#hosts.get(key);
    if (known) return known;
    const sessions = this.isShared ? this.#sessions : () => [];
    const host = key === undefined ? sharedHost(sessions, this.#common) : hostOf(key, this.#common);
    this.#hosts.set(key, host);
    return host;
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
    const host = this.#hosts.get(session);
    this.#hosts.delete(session);
    await host?.close();
  }

  /** Ends all of them. Settles when nothing of them is left. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    this.#proof.close();
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
  }

  /** A child that all share, and that is not only started on demand, is there for the first client. */
  #proved(host: Host): void {
    if (this.isShared && this.#options.start === "eager") return;
    if (!host.isBusy) void host.sleep();
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
        since > GONE_AFTER;
      if (since > idleStop || isGone || isAlone) void host.sleep();
    }
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
