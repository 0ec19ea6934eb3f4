import { backoffDelay } from "../model/backoff.ts";

/** When a server that keeps ending may be started again, as a restart policy says it. */
export interface Backoff {
  /** Ms. */
  readonly initial: number;
  readonly max: number;
  /** A run that lasted so long counts as one that went well, ms. */
  readonly resetAfter: number;
}

/** Where nothing else is said. */
export const BACKOFF: Backoff = { initial: 500, max: 30_000, resetAfter: 10_000 };

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
  readonly #backoff: Backoff;
  #failures = 0;
  #begunAt = 0;
  #nextAt = 0;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
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
    const { initial, max, resetAfter } = this.#backoff;
    if (now - this.#begunAt >= resetAfter) this.#failures = 0;
    const wait = this.#failures === 0 ? 0 : backoffDelay(this.#failures - 1, initial, max);
    this.#failures++;
    this.#nextAt = now + wait;
  }
}
