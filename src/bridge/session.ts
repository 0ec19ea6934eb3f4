import type { Answer, EventStream } from "./answer.ts";
import type { Call } from "./link.ts";
import { errorText, type Id, notificationText, RPC } from "./message.ts";
import type { Memory } from "./opening.ts";
import type { KeptSession } from "./session-file.ts";

/** Streams that one client may have open: the newest one gets what is sent. */
const MOST_STREAMS = 4;
/** What waits for a client that has no stream open: messages, and characters of them. */
const MOST_QUEUED = { messages: 256, characters: 1024 * 1024 };
/** Of the protocol, from the most talkative on. */
export const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** A request of a client that was not answered yet. */
export interface OpenCall {
  readonly call: Call;
  readonly answer: Answer;
  /** When the connection was gone that it was made on, unix ms. */
  leftAt: number | undefined;
}

/** A client as it was introduced by `initialize`: whatever becomes of children, it stays. */
export class Session {
  readonly id: string;
  /** Params of its `initialize`. */
  readonly introduction: Readonly<Record<string, unknown>>;
  readonly calls = new Map<Id, OpenCall>();
  /** Questions that it was asked and has not answered. */
  readonly questions = new Set<string>();
  readonly subscriptions = new Set<string>();
  level: string | undefined;
  /** Unix ms. */
  readonly openedAt: number;
  usedAt: number;
  /** It had a stream once: that it has none now says that the client is gone. */
  hadStream = false;
  /** Its client has the answer to its `initialize`. */
  isGreeted = false;
  #streams: EventStream[] = [];
  #queue: string[] = [];
  #queued = 0;

  constructor(id: string, introduction: Readonly<Record<string, unknown>>, now: number) {
    this.id = id;
    this.introduction = introduction;
    this.openedAt = now;
    this.usedAt = now;
  }

  /** What the next bridge has to know of it. */
  get kept(): KeptSession {
    const { id, introduction, level, subscriptions, openedAt, usedAt } = this;
    return { id, introduction, level, subscriptions: [...subscriptions], openedAt, usedAt };
  }

  /** It is one of a bridge before this. */
  takeUp({ level, subscriptions, usedAt }: Pick<KeptSession, "level" | "subscriptions" | "usedAt">): void {
    this.isGreeted = true;
    this.level = level;
    for (const uri of subscriptions) this.subscriptions.add(uri);
    this.usedAt = usedAt;
  }

  /** How it is named in logs. */
  get label(): string {
    return this.id.slice(0, 8);
  }

  get isBusy(): boolean {
    return this.calls.size > 0;
  }

  /** How many of its streams are open. */
  get streams(): number {
    return this.#streams.filter(({ isOpen }) => isOpen).length;
  }

  get isConnected(): boolean {
    return this.streams > 0;
  }

  open(stream: EventStream): void {
    this.hadStream = true;
    this.#streams = [...this.#streams.filter(({ isOpen }) => isOpen), stream];
    if (this.#streams.length > MOST_STREAMS) this.#streams.shift()?.end();
    const queue = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    for (const message of queue) stream.send(message);
  }

  /**
   * Sends what belongs to no call, or is a question: where the client listens. Without a stream it waits, or goes with a
   * call that is being answered; not so `news`, which is of no call. False: there is no room for more.
   */
  tell(message: string, news = false): boolean {
    const stream = this.#streams.findLast(({ isOpen }) => isOpen);
    if (stream?.send(message)) return true;
    for (const { answer } of news ? [] : this.calls.values()) if (answer.tell(message)) return true;
    if (this.#queue.length >= MOST_QUEUED.messages || this.#queued + message.length > MOST_QUEUED.characters)
      return false;
    this.#queue.push(message);
    this.#queued += message.length;
    return true;
  }

  /** What its child is told when it is started again. */
  get memory(): Memory {
    const { introduction, level, subscriptions, isGreeted } = this;
    return { introduction, level, subscriptions, isAgain: isGreeted };
  }

  /** Whether a notification of a child that others share is for it. */
  hears(method: string, { level, uri }: Readonly<Record<string, unknown>>): boolean {
    if (method === "notifications/resources/updated") return this.subscriptions.has(String(uri));
    if (method !== "notifications/message" || this.level === undefined) return true;
    return LEVELS.indexOf(String(level)) >= LEVELS.indexOf(this.level);
  }

  takeBack(question: string): void {
    if (this.questions.delete(question))
      this.tell(notificationText("notifications/cancelled", { requestId: question }));
  }

  /** Nothing is sent to it any more. `why`: what calls that are under way are answered. */
  close(why: string): void {
    for (const { call } of [...this.calls.values()]) call.end(errorText(call.id, RPC.refused, why));
    for (const stream of this.#streams) stream.end();
    this.#streams = [];
  }
}

export function isLevel(value: unknown): value is string {
  return LEVELS.includes(value as string);
}

/** What a server tells of itself, whatever it is doing. */
export function isNews(method: string): boolean {
  return method.endsWith("/list_changed") || method === "notifications/resources/updated";
}

/** The level of the client that wants to hear most; undefined: none has said. */
export function mostWanted(sessions: readonly Pick<Session, "level">[]): string | undefined {
  return LEVELS.find((level) => sessions.some((session) => session.level === level));
}
