import type { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Door, NoWay } from "./door.ts";
import { type Asked, connections, type Ended, exchange, type Place } from "./exchange.ts";

/** The server, wherever it is: one that is not there is looked for, which starts it. */

/** Attempts to reach it, and the wait after the first that found nobody, ms. */
const TRIES = 4;
const WAIT = 200;

/** Nothing was sent, and this sentence says why. */
export interface Nowhere {
  readonly kind: "nowhere";
  readonly why: string;
}

export class Remote {
  readonly #door: Door;
  readonly #agent: Agent = connections();

  constructor(door: Door) {
    this.#door = door;
  }

  /** Never rejects. */
  async send(asked: Asked): Promise<Ended | Nowhere> {
    let place: Place | undefined;
    for (let tries = 1; ; tries++) {
      try {
        place = await this.#door.place(place);
      } catch (error) {
        return { kind: "nowhere", why: error instanceof NoWay ? error.message : String(error) };
      }
      const ended = await exchange(this.#agent, place, asked);
      if (ended.kind !== "unreachable" || tries === TRIES) return ended;
      await pause(WAIT * tries);
    }
  }

  /** The same, but only where the server was last. */
  async sendThere(asked: Asked): Promise<Ended | Nowhere> {
    const place = this.#door.known;
    if (place === undefined) return { kind: "nowhere", why: "it was never reached" };
    return exchange(this.#agent, place, asked);
  }

  close(): void {
    this.#door.close();
    this.#agent.destroy();
  }
}
