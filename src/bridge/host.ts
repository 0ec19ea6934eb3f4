import { isObject } from "../model/object.ts";
import type { Command } from "./child.ts";
import { Link, type LinkEvents } from "./link.ts";
import { Starts } from "./starts.ts";

/** What a child needs to know when it is started again for somebody who was there before. */
export interface Memory {
  /** Params of `initialize`. */
  readonly introduction: unknown;
  readonly level: string | undefined;
  readonly subscriptions: Iterable<string>;
  /** A child before this one was introduced to the client, and the client to it: by this bridge, or by one before. */
  readonly isAgain: boolean;
}

const BACKOFF = { initial: 500, max: 30_000, resetAfter: 10_000 };
/** For what a child is told again when it is started again, ms. */
const REPLAY_BOUND = 10_000;

/**
 * A place for one child: none is there, one is being started, or one runs. A child that has ended or sleeps is started by
 * the next request, and is told what the one before was told: no client notices.
 */
export class Host {
  readonly #command: Command;
  readonly #events: LinkEvents;
  readonly #memory: () => Memory;
  readonly #isOwn: boolean;
  readonly #starts = new Starts(BACKOFF);
  #link: Link | undefined;
  #starting: Promise<Link> | undefined;
  #greeting: string | undefined;
  #isClosed = false;
  /** Unix ms. */
  usedAt = 0;

  /** `isOwn`: no client tells the child that it is initialized. */
  constructor(command: Command, events: LinkEvents, memory: () => Memory, isOwn: boolean) {
    this.#isOwn = isOwn;
    this.#command = command;
    this.#events = events;
    this.#memory = memory;
  }

  get pid(): number | undefined {
    return this.#link?.pid;
  }

  /** A child is there, or is coming. */
  get isAwake(): boolean {
    return this.#link !== undefined || this.#starting !== undefined;
  }

  get isBusy(): boolean {
    return this.#starting !== undefined || this.#link?.isBusy === true;
  }

  /** What the first child answered to `initialize`, with id 0. */
  get greeting(): string | undefined {
    return this.#greeting;
  }

  /** The child that runs, started if need be: once, however many ask. Rejects with why it cannot be. */
  reached(): Promise<Link> {
    this.usedAt = Date.now();
    if (this.#link) return Promise.resolve(this.#link);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** The child that runs; undefined: none, and none is started. */
  get running(): Link | undefined {
    return this.#link;
  }

  /** Ends the child. The next request starts another. */
  async sleep(): Promise<void> {
    const link = this.#link ?? (await this.#starting?.catch(() => undefined));
    this.#link = undefined;
    await link?.end();
  }

  /** No child any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.sleep();
  }

  async #start(): Promise<Link> {
    const wait = this.#starts.waitAt(Date.now());
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.#isClosed) throw new Error("the session is over");
    this.#starts.begun(Date.now());
    let why: string | undefined;
    const link: Link = new Link(this.#command, {
      ...this.#events,
      ended: (reason) => {
        why = reason;
        if (this.#link === link) this.#link = undefined;
        // One that is to end is no failure.
        if (!link.isEnding) {
          this.#starts.failed(Date.now());
          this.#events.ended(reason);
        }
      },
    });
    try {
      const { introduction, level, subscriptions, isAgain } = this.#memory();
      const greeting = await link.initialize(introduction, isAgain);
      if (link.isOver || !isObject(JSON.parse(greeting).result)) throw new Refused(greeting);
      if (isAgain || this.#isOwn) await replay(link, level, subscriptions);
      this.#greeting ??= greeting;
    } catch (error) {
      void link.end();
      if (error instanceof Refused && why === undefined) throw error;
      throw new Error(why ?? (error as Error).message);
    }
    if (this.#isClosed) {
      void link.end();
      throw new Error("the session is over");
    }
    this.#link = link;
    return link;
  }
}

/** The child answered to `initialize` with an error, which is for the client. */
export class Refused extends Error {
  readonly answer: string;
  constructor(answer: string) {
    super("the server refused to be initialized");
    this.answer = answer;
  }
}

async function replay(link: Link, level: string | undefined, subscriptions: Iterable<string>): Promise<void> {
  link.notify("notifications/initialized");
  // What it answers is of no use: the client was answered before.
  if (level !== undefined) await link.ask("logging/setLevel", { level }, REPLAY_BOUND);
  for (const uri of subscriptions) await link.ask("resources/subscribe", { uri }, REPLAY_BOUND);
}
