import { isObject } from "../model/object.ts";
import { listNews } from "./eras/envelope.ts";
import { type Finder, speaksModern, wantsModern } from "./eras/finder.ts";
import { unstamped } from "./eras/translate.ts";
import type { Link, LinkEvents } from "./link.ts";
import { listsOf } from "./lists.ts";
import { readMessage, requestText } from "./message.ts";

/** What a child needs to know when it is started again for somebody who was there before. */
export interface Memory {
  /** Params of `initialize`. */
  readonly introduction: Readonly<Record<string, unknown>>;
  readonly level: string | undefined;
  readonly subscriptions: Iterable<string>;
  /** A child before this one was introduced to the client, and the client to it: by this bridge, or by one before. */
  readonly isAgain: boolean;
}

/** How a child is begun, and what it is told before anything else. */
export interface Opening {
  /** Of a server without sessions. */
  readonly isModern: boolean;
  open(events: LinkEvents): Link;
  /** Settles with what it answers, with id 0. */
  greet(link: Link, memory: Memory): Promise<string>;
}

/** For what a child is told again when it is started again, ms. */
const REPLAY_BOUND = 10_000;
/** Longest wait for the first answer of a child, ms: `npx` may have to load it first. */
const START_BOUND = 120_000;

/** Of a server with sessions. `isOwn`: no client tells the child that it is initialized. */
export function legacyOpening(finder: Finder, isOwn: boolean): Opening {
  return {
    isModern: false,
    open: (events) => finder.open(events),
    greet: async (link, { introduction, level, subscriptions, isAgain }) => {
      const greeting = await link.initialize(introduction);
      if (link.isOver || !isObject(JSON.parse(greeting).result)) {
        if (wantsModern(greeting)) finder.learn("modern");
        throw new Refused(greeting);
      }
      finder.learn("legacy");
      if (isAgain || isOwn) await replay(link, level, subscriptions);
      return greeting;
    },
  };
}

/** Of a server without sessions. `listen`: asks it again for the news that clients wait for. */
export function modernOpening(finder: Finder, listen: (link: Link) => void): Opening {
  const opened = new WeakMap<Link, LinkEvents>();
  return {
    isModern: true,
    open: (events) => {
      const link = finder.open(events);
      opened.set(link, events);
      return link;
    },
    greet: async (link) => {
      const discovered = await finder.discover(link, START_BOUND);
      if (!speaksModern(discovered)) {
        if (!link.isOver) finder.learn(undefined);
        throw new Refused(discovered);
      }
      link.envelope = finder.envelope;
      const events = opened.get(link);
      if (events) hearNews(link, events);
      listen(link);
      return discovered;
    },
  };
}

/** What is remembered of its lists, and clients with sessions, depend on what it says of them. */
function hearNews(link: Link, events: LinkEvents): void {
  const { envelope } = link;
  const params = { notifications: listNews(() => true), _meta: envelope };
  const request = { kind: "request", id: 0, method: "subscriptions/listen", params } as const;
  const tell = (text: string) => {
    const message = readMessage(text);
    if (message.kind === "notification" && listsOf(message.method) !== undefined)
      events.notified(message.method, unstamped(text), message.params);
    return true;
  };
  const call = { id: 0, isListening: true, tell, end: () => {} };
  link.call(request, requestText(0, request.method, params), call);
}

async function replay(link: Link, level: string | undefined, subscriptions: Iterable<string>): Promise<void> {
  link.notify("notifications/initialized");
  // What it answers is of no use: the client was answered before.
  if (level !== undefined) await link.ask("logging/setLevel", { level }, REPLAY_BOUND);
  for (const uri of subscriptions) await link.ask("resources/subscribe", { uri }, REPLAY_BOUND);
}

/** The child answered to `initialize` with an error, which is for the client. */
export class Refused extends Error {
  readonly answer: string;
  constructor(answer: string) {
    super("the server refused to be initialized");
    this.answer = answer;
  }
}
