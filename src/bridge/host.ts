import type { Link, LinkEvents } from "./link.ts";
import { isList, type Known, Lists, listsOf } from "./lists.ts";
import type { Id } from "./message.ts";
import { type Memory, type Opening, Refused } from "./opening.ts";
import { type Restart, Starts } from "./starts.ts";

/** What happens to a child. `listed` is heard here, in one place for all. */
export interface HostEvents extends Omit<LinkEvents, "listed"> {
  /** Asked before each start. Settles when it may begin. */
  turn(): Promise<void>;
}

/** For a list, ms. */
const LIST_BOUND = 10_000;
/** Servers say when they start that their lists have changed. Until then that is looked at, ms. */
const NEWS_AFTER = 2000;

/**
 * A place for one child: none is there, one is being started, or one runs. A child that has ended or sleeps is started by
 * the next request, and is told what the one before was told: no client notices.
 */
export class Host {
  readonly #opening: Opening;
  readonly #events: HostEvents;
  readonly #memory: () => Memory;
  readonly #starts: Starts;
  /** Why the last child ended by itself. */
  #why = "";
  #link: Link | undefined;
  #starting: Promise<Link> | undefined;
  #greeting: string | undefined;
  /** What others answered that were introduced in the same way. */
  readonly #known: () => Known;
  #own: Lists | undefined;
  /** Its lists have changed since the child was started: they are its own. */
  #hasChanged = false;
  /** When the child was greeted, unix ms; not yet: never. */
  #greetedAt = Number.POSITIVE_INFINITY;
  /** Of the lists of these kinds, it is being looked at whether they are as they were. */
  readonly #checking = new Set<string>();
  #isClosed = false;
  /** Unix ms. */
  usedAt = 0;

  /** `known`: of others, for a client that was introduced like this. */
  constructor(
    opening: Opening,
    events: HostEvents,
    memory: () => Memory,
    known: (introduction: unknown) => Known,
    restart: Restart,
  ) {
    this.#starts = new Starts(restart);
    this.#known = () => known(memory().introduction);
    this.#opening = opening;
    this.#events = events;
    this.#memory = memory;
  }

  /** It is for a server without sessions. */
  get isModern(): boolean {
    return this.#opening.isModern;
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

  /** When the child that runs was started, unix ms. */
  get startedAt(): number | undefined {
    return this.#link?.startedAt;
  }

  /** What the first child answered when it was greeted, with id 0. */
  get greeting(): string | undefined {
    return this.#greeting;
  }

  /** Takes the place of a child that somebody greeted in the same way: one is started when it is needed. Whether there was any. */
  greetAsKnown(): boolean {
    this.#greeting ??= this.#known().greeting;
    return this.#greeting !== undefined;
  }

  /** What the child said last; before it said anything, what others did. */
  get lists(): Lists {
    this.#own ??= new Lists(this.#known().lists);
    return this.#own;
  }

  /** A list as the child said it last, while it sleeps; undefined: it has to be asked. */
  remembered(method: string, params: Readonly<Record<string, unknown>>, id: Id): string | undefined {
    if (this.isAwake || !isList(method, params)) return undefined;
    return this.lists.answer(method, id);
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
    if (this.#starts.areOver) throw new Ended(`${this.#why}; ${NEVER}`);
    const wait = this.#starts.waitAt(Date.now());
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await this.#events.turn();
    if (this.#isClosed) throw new Error("the session is over");
    this.#starts.begun(Date.now());
    let why: string | undefined;
    const memory = this.#memory();
    this.#hasChanged = false;
    this.#greetedAt = Number.POSITIVE_INFINITY;
    const link: Link = this.#opening.open({
      ...this.#events,
      listed: (method, text) => this.#note(method, text),
      notified: (method, text, params) => {
        const lists = listsOf(method);
        if (lists === undefined) return this.#events.notified(method, text, params);
        void this.#changed(link, memory.isAgain, lists, () => this.#events.notified(method, text, params));
      },
      ended: (reason) => {
        why = reason;
        if (this.#link === link) this.#link = undefined;
        // One that is to end is no failure.
        if (!link.isEnding) {
          this.#why = reason;
          this.#starts.failed(Date.now());
          this.#events.ended(reason);
        }
      },
    });
    try {
      const greeting = await this.#opening.greet(link, memory);
      this.#greetedAt = Date.now();
      this.#greeting ??= greeting;
      this.#known().greeting = greeting;
    } catch (error) {
      void link.end();
      if (error instanceof Refused && why === undefined) throw error;
      throw why === undefined ? error : new Ended(why);
    }
    if (this.#isClosed) {
      void link.end();
      throw new Error("the session is over");
    }
    this.#link = link;
    return link;
  }

  /** Remembers a list: for its own client, and, while it is what any such client is told, for all of them. */
  #note(method: string, text: string): void {
    this.lists.note(method, text);
    if (!this.#hasChanged) this.#known().lists.note(method, text);
  }

  /**
   * The child says that lists have changed. Many say so whenever they start: whoever was told a list before hears it only
   * if it is another one now. `tell`: passes it on.
   */
  async #changed(link: Link, isAgain: boolean, methods: readonly string[], tell: () => void): Promise<void> {
    const { lists } = this;
    const said = methods.filter((method) => lists.isSaid(method));
    const isStart = Date.now() < this.#greetedAt + NEWS_AFTER;
    if (isStart && said.length === 0) return isAgain ? undefined : tell();
    if (isStart) {
      const kind = methods[0] as string;
      if (this.#checking.has(kind)) return;
      this.#checking.add(kind);
      const isSame = await areSame(link, lists, said).finally(() => this.#checking.delete(kind));
      // What it has now, nobody knows: it is told of by the next one.
      if (isSame || link.isEnding || link.isOver) return;
    }
    lists.forget(methods);
    this.#hasChanged = true;
    tell();
  }
}

/** Whether a child lists what was said before. What it lists is what is remembered from then on. */
async function areSame(link: Link, lists: Lists, methods: readonly string[]): Promise<boolean> {
  const before = methods.map((method) => lists.answer(method, 0));
  try {
    for (const method of methods) await link.ask(method, {}, LIST_BOUND);
  } catch {
    return false;
  }
  return methods.every((method, i) => before[i] !== undefined && lists.answer(method, 0) === before[i]);
}

const NEVER = "its restart policy is never: to start it again, run `xy restart`";

/** The child ended before it was ready; the message is why. */
export class Ended extends Error {}
