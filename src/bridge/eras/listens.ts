import type { Call, Link } from "../link.ts";
import { type Id, type Message, notificationText } from "../message.ts";

type Request = Extract<Message, { kind: "request" }>;

/** A client that waits for news of a server without sessions. */
export class Listener implements Call {
  readonly isListening = true;
  readonly id: Id;
  readonly request: Request;
  /** The request as the server gets it. */
  readonly text: string;
  readonly #tell: (message: string, method: string) => boolean;
  readonly #end: (answer: string) => void;
  link: Link | undefined;
  #isAcknowledged = false;

  constructor(
    request: Request,
    text: string,
    tell: (message: string, method: string) => boolean,
    end: (answer: string) => void,
  ) {
    this.id = request.id;
    this.request = request;
    this.text = text;
    this.#tell = tell;
    this.#end = end;
  }

  tell(message: string): boolean {
    const { method } = JSON.parse(message);
    // Of a child that was started again, the client need not know.
    if (method === "notifications/subscriptions/acknowledged") {
      if (this.#isAcknowledged) return true;
      this.#isAcknowledged = true;
    }
    return this.#tell(message, method);
  }

  end(answer: string): void {
    // A child that is told to end says goodbye to all. The next one is asked for the same.
    if (!this.link?.isEnding && !this.link?.isOver) this.#end(answer);
  }
}

/** All clients that wait for news of one server. */
export class Listens {
  readonly #all = new Set<Listener>();

  get size(): number {
    return this.#all.size;
  }

  /** `link`: the child, where one runs; the next one is asked when it starts. */
  open(listener: Listener, link: Link | undefined): void {
    this.#all.add(listener);
    if (link) ask(listener, link);
  }

  close(listener: Listener): void {
    if (!this.#all.delete(listener)) return;
    listener.link?.cancel(listener, CANCELLED);
  }

  /** A child was started. */
  again(link: Link): void {
    for (const listener of this.#all) ask(listener, link);
  }
}

function ask(listener: Listener, link: Link): void {
  listener.link = link;
  link.call(listener.request, listener.text, listener);
}

/** For a request that its client wants no more; its id is put in. */
export const CANCELLED = notificationText("notifications/cancelled", { requestId: 0 });
