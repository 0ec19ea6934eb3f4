import { isObject } from "../../model/object.ts";
import type { Command } from "../child.ts";
import { Link, type LinkEvents } from "../link.ts";
import { errorText, RPC } from "../message.ts";
import { type Restart, Starts } from "../starts.ts";
import { envelope, MODERN } from "./envelope.ts";

/** The versions of MCP with sessions, or the one without. */
export type Era = "legacy" | "modern";

export interface FinderMeans {
  readonly command: Command;
  readonly restart: Restart;
  readonly version: string;
  readonly says: (stream: "out" | "err", who: string | undefined, text: string) => void;
}

/** A server that says nothing for so long is asked the old way, ms: `npx` may have to load it first. */
const DISCOVER_BOUND = 10_000;
/** A child that nobody has taken is kept so long, ms: a client that is refused comes again the old way at once. */
const SPARE_BOUND = 5000;

/** Lines that such a child may have said before it is known whose it is. */
const MOST_HELD = 200;

type Line = readonly [stream: "out" | "err", text: string];

interface Spare {
  readonly link: Link;
  readonly held: readonly Line[];
  /** Its answer to `server/discover`, with id 0. */
  readonly discovered: string;
}

/**
 * Finds out which era a server speaks, by asking the first child; that child is then the first client's. What was found
 * holds for later children, too, until one of them says otherwise.
 */
export class Finder {
  readonly #means: FinderMeans;
  readonly #starts: Starts;
  #era: Era | undefined;
  /** The process that was asked ended: it is taken for one of the legacy era, until one of those shows that it is not. */
  #isPresumed = false;
  #finding: Promise<Era> | undefined;
  #spare: Spare | undefined;
  #isClosed = false;

  constructor(means: FinderMeans) {
    this.#means = means;
    this.#starts = new Starts(means.restart);
  }

  /** Undefined: nobody has needed to know, or the last child did not live to tell. */
  get era(): Era | undefined {
    return this.#era;
  }

  /** Starts a child where that is not known. One that ends when it is asked such a thing is of the legacy era. */
  found(): Promise<Era> {
    if (this.#era !== undefined) return Promise.resolve(this.#era);
    if (this.#isPresumed) return Promise.resolve("legacy");
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  /** A child has shown what it speaks; undefined: not what was found before. */
  learn(era: Era | undefined): void {
    this.#era = era;
    this.#isPresumed = false;
    if (era === undefined) void this.#endSpare();
  }

  /** A child could not be started. */
  doubt(): void {
    this.#isPresumed = false;
  }

  /** A child: the one that was asked first, or a new one. */
  open(events: LinkEvents): Link {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined || spare.link.isOver) return new Link(this.#means.command, events);
    spare.link.hand(events);
    for (const line of spare.held) events.says(...line);
    this.#discovered.set(spare.link, spare.discovered);
    return spare.link;
  }

  readonly #discovered = new WeakMap<Link, string>();

  /** What a child answers to `server/discover`, with id 0. */
  discover(link: Link, bound: number): Promise<string> {
    const known = this.#discovered.get(link);
    link.envelope = this.envelope;
    return known === undefined ? link.ask("server/discover", {}, bound) : Promise.resolve(known);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#finding?.catch(() => undefined);
    await this.#endSpare();
  }

  /** What goes with the bridge's own requests of a server without sessions. */
  get envelope(): Readonly<Record<string, unknown>> {
    return envelope({ name: "xy", version: this.#means.version }, {});
  }

  async #find(): Promise<Era> {
    const wait = this.#starts.waitAt(Date.now());
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.#isClosed) throw new Error("the bridge is ending");
    this.#starts.begun(Date.now());
    const { command, says } = this.#means;
    const held: Line[] = [];
    const link = new Link(command, {
      notified: () => {},
      listed: () => {},
      asked: () => false,
      unasked: () => {},
      says: (stream, text) => void (held.length < MOST_HELD && held.push([stream, text])),
      ended: () => {
        if (this.#spare?.link === link) this.#spare = undefined;
      },
    });
    link.envelope = this.envelope;
    const silence = errorText(0, RPC.methodNotFound, "no answer");
    const discovered = await link.ask("server/discover", {}, DISCOVER_BOUND).catch(() => silence);
    link.envelope = undefined;
    if (link.isOver) {
      for (const [stream, text] of held) says(stream, undefined, text);
      // Whether it ends at any start, or just because of the question, the next one shows.
      this.#starts.failed(Date.now());
      this.#isPresumed = true;
      return "legacy";
    }
    this.#spare = { link, held, discovered };
    setTimeout(() => this.#spare?.link === link && void this.#endSpare(), SPARE_BOUND).unref();
    this.#era = speaksModern(discovered) ? "modern" : "legacy";
    return this.#era;
  }

  async #endSpare(): Promise<void> {
    const spare = this.#spare;
    this.#spare = undefined;
    for (const [stream, text] of spare?.held ?? []) this.#means.says(stream, undefined, text);
    await spare?.link.end();
  }
}

/** Whether that answers `server/discover` as a server without sessions does. */
export function speaksModern(answer: string): boolean {
  const { result } = JSON.parse(answer);
  const versions = isObject(result) ? result.supportedVersions : undefined;
  return Array.isArray(versions) && versions.includes(MODERN);
}

/** Whether that refuses `initialize` as a server does that has no sessions at all. */
export function wantsModern(answer: string): boolean {
  const { error } = JSON.parse(answer);
  const data = isObject(error) && error.code === RPC.unsupportedVersion ? error.data : undefined;
  return isObject(data) && Array.isArray(data.supported) && data.supported.includes(MODERN);
}
