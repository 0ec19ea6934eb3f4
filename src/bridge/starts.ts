import { backoffDelay } from "../model/backoff.ts";
import type { BridgeRestart } from "../model/bridge-words.ts";

/**
 * Whether and when a child that ended by itself is started again, of a server's restart settings; times in ms. A run of
 * `resetAfter` counts as one that went well.
 */
export type Restart = Readonly<BridgeRestart>;

/** How many starts there may be in a time, of all children together: each costs a machine a moment of all that it has. */
export class Pace {
  readonly #gap: number;
  readonly #burst: number;
  #nextAt = 0;

  /** So many at once, and so many a second. */
  constructor(perSecond: number) {
    this.#gap = 1000 / perSecond;
    this.#burst = perSecond;
  }

  /** Takes the next place. Returns how long that has to wait, ms. */
  taken(now: number): number {
    this.#nextAt = Math.max(this.#nextAt, now - this.#gap * (this.#burst - 1));
    const wait = Math.max(0, this.#nextAt - now);
    this.#nextAt += this.#gap;
    return wait;
  }
}

/** How the runs of a child went, as far as the next start depends on it. Pure: times are unix ms, and arguments. */
export class Starts {
  readonly #restart: Restart;
  #failures = 0;
  #begunAt = 0;
  #nextAt = 0;

  constructor(restart: Restart) {
    this.#restart = restart;
  }

  /** There is no further start. */
  get areOver(): boolean {
    return this.#restart.policy === "never" && this.#failures > 0;
  }

  /** How long a start has to wait, ms. */
  waitAt(now: number): number {
    return Math.max(0, this.#nextAt - now);
  }

  begun(now: number): void {
    this.#begunAt = now;
  }

  /** It ended, and nobody told it to. The first start after a good run comes at once. */
  failed(now: number): void {
    const { backoffInitial, backoffMax, resetAfter } = this.#restart;
    if (now - this.#begunAt >= resetAfter) this.#failures = 0;
    const wait = this.#failures === 0 ? 0 : backoffDelay(this.#failures - 1, backoffInitial, backoffMax);
    this.#failures++;
    this.#nextAt = now + wait;
  }
}
