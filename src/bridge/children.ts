import type { Host } from "./host.ts";
import { hostOf, type Means, sharedHost } from "./hosts.ts";
import type { Link } from "./link.ts";
import type { Session } from "./session.ts";

export interface ChildrenOptions extends Means {
  /** `session`: a child for each client; `all`: one for all of them. */
  readonly share: "session" | "all";
  /** Idle for so long, a child is ended until it is needed again, ms; undefined: never. */
  readonly idleStop?: number | undefined;
  readonly maxChildren: number;
}

/** A client whose last stream was closed is gone, when it does not come back within this, ms. */
const GONE_AFTER = 5000;
/** The same of one that never had a stream: between two of its requests much time may pass, ms. */
const SILENT_AFTER = 600_000;
/** Between two looks at which children are idle, ms. */
const LOOK_GAP = 1000;

/** A running child, as it is shown. */
export interface RunningChild {
  /** The session that it works for; undefined: all of them. */
  readonly session: string | undefined;
  readonly pid: number;
}

/** The places for children: one for each session, or one for all. */
export class Children {
  readonly #options: ChildrenOptions;
  readonly #sessions: () => Session[];
  /** By session; of a shared child, the one of undefined. */
  readonly #hosts = new Map<Session | undefined, Host>();
  readonly #look: NodeJS.Timeout;

  /** `sessions`: those that are known at the time. */
  constructor(options: ChildrenOptions, sessions: () => Session[]) {
    this.#options = options;
    this.#sessions = sessions;
    this.#look = setInterval(() => this.#sleepIdle(Date.now()), LOOK_GAP);
  }

  get isShared(): boolean {
    return this.#options.share === "all";
  }

  get running(): RunningChild[] {
    return [...this.#hosts].flatMap(([session, { pid }]) =>
      pid === undefined ? [] : [{ session: session?.id, pid }],
    );
  }

  /** The place of a session's child. */
  of(session: Session): Host {
    const key = this.isShared ? undefined : session;
    const known = this.#hosts.get(key);
    if (known) return known;
    const host = key === undefined ? sharedHost(this.#sessions, this.#options) : hostOf(key, this.#options);
    this.#hosts.set(key, host);
    return host;
  }

  /** The child of a session, started if need be; the one that was idle longest has to sleep where there are too many. */
  async reached(session: Session): Promise<Link> {
    const host = this.of(session);
    const others = [...this.#hosts.values()].filter((one) => one !== host && one.isAwake);
    if (!host.isAwake && others.length >= this.#options.maxChildren) {
      const idle = oldest(others.filter(({ isBusy }) => !isBusy));
      if (idle === undefined) throw new Error(`${others.length} of it are at work for other clients`);
      await idle.sleep();
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
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
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
      const isAlone = session === undefined && this.#sessions().length === 0 && since > GONE_AFTER;
      if (since > idleStop || isGone || isAlone) void host.sleep();
    }
  }
}

/** The one that was used longest ago. */
export function oldest<T extends { readonly usedAt: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(
    (old, one) => (old === undefined || one.usedAt < old.usedAt ? one : old),
    undefined,
  );
}
