import { Child, type Command, LONGEST_MESSAGE } from "./child.ts";
import { KEY, metaOf } from "./eras/envelope.ts";
import { isList } from "./lists.ts";
import {
  doneText,
  errorText,
  type Id,
  type Message,
  notificationText,
  progressToken,
  RPC,
  readMessage,
  requestText,
} from "./message.ts";
import { onOneLine, spliced } from "./splice.ts";

type Request = Extract<Message, { kind: "request" }>;

/** A request of a client that a child works on. */
export interface Call {
  /** It asks for news: nothing is being worked on, and whoever asked asks again when the child is started again. */
  readonly isListening?: boolean | undefined;
  /** The client's own id of it. */
  readonly id: Id;
  /** The client's own token for its progress. */
  readonly token?: Id | undefined;
  /** Sends what belongs to it. False: that cannot be sent there. */
  tell(message: string): boolean;
  /** Its answer, with the client's id. */
  end(message: string): void;
}

/** Where the messages of a client go. */
export interface Peer {
  call(request: Request, text: string, call: Call): void;
  /** The client does not want it any more. */
  cancel(call: Call, text: string): void;
  /** Passes on a notification. */
  pass(text: string): void;
  /** What the client answers to a question. */
  answer(id: string, text: string): void;
}

export interface LinkEvents {
  /** A notification that belongs to no call. */
  notified(method: string, text: string, params: Readonly<Record<string, unknown>>): void;
  /** The child asks its client; `id` stands for the question. False: there is nobody to ask. */
  asked(id: string, text: string): boolean;
  /** The child takes a question back. */
  unasked(id: string): void;
  /** The child answered a request for a list, from its beginning. `text`: all of the answer. */
  listed(method: string, text: string): void;
  says(stream: "out" | "err", text: string): void;
  /** Once. */
  ended(why: string): void;
}

interface Open {
  readonly call: Call;
  /** The method, if that asks for a list from its beginning. */
  readonly list: string | undefined;
}

/** Where the answer to a request for news says whose it is. */
const SUBSCRIBED = ["result", "_meta", KEY.subscription];
/** Longest wait for the answer of a child to its `initialize`, ms: `npx` may have to load it first. */
const START_BOUND = 120_000;

/**
 * A running child, and the calls that it works on. Ids are given anew, by one counter: several clients have the same ones,
 * and a child that was started again must not take an old answer for a new one.
 */
export class Link implements Peer {
  /** Unix ms. */
  readonly startedAt = Date.now();
  readonly #child: Child;
  #events: LinkEvents;
  readonly #calls = new Map<Id, Open>();
  /** What the child asked, by the id that a client knows it by. */
  readonly #questions = new Map<string, Id>();
  /** What goes with each request of the bridge's own, as its `_meta`. */
  envelope: Readonly<Record<string, unknown>> | undefined;
  #counter = 0;
  #isOver = false;
  #isEnding = false;

  constructor(command: Command, events: LinkEvents) {
    this.#events = events;
    this.#child = new Child(command, {
      message: (text) => this.#hear(text),
      says: (stream, text) => this.#events.says(stream, text),
      lost: () => this.#fail(`the server sent a message of more than ${LONGEST_MESSAGE / 2 ** 20} MiB`),
      ended: (why) => this.#end(why),
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isBusy(): boolean {
    return [...this.#calls.values()].some(({ call }) => !call.isListening);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It was told to end. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** From now on, others hear of it. */
  hand(events: LinkEvents): void {
    this.#events = events;
  }

  /** The child answers `initialize`. Rejects with its last words when it does not. */
  initialize(params: Readonly<Record<string, unknown>>): Promise<string> {
    return this.ask("initialize", params, START_BOUND);
  }

  /** A request of the bridge's own. Settles with the whole answer, whose id is 0. */
  ask(method: string, params: Readonly<Record<string, unknown>>, bound: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#calls.delete(id);
        reject(new Error(`it did not answer to ${method} within ${bound / 1000} s`));
      }, bound);
      const end = (text: string) => {
        clearTimeout(late);
        resolve(text);
      };
      const id = this.#add({ id: 0, tell: () => false, end }, { method, params });
      this.#send(requestText(id, method, { ...params, _meta: this.envelope }), id);
    });
  }

  /** A notification of the bridge's own. */
  notify(method: string, params?: unknown): void {
    this.#child.send(notificationText(method, params));
  }

  /** Passes on a notification. */
  pass(text: string): void {
    this.#child.send(onOneLine(text));
  }

  call(request: Request, text: string, call: Call): void {
    const id = this.#add(call, request);
    const token = progressToken(request.params);
    const own = spliced(onOneLine(text), [
      [["id"], id],
      ...(token === undefined ? [] : [[["params", "_meta", "progressToken"], id] as const]),
    ]);
    this.#send(own, id);
  }

  /** The client does not want it any more. The answer that may still come is nobody's. */
  cancel(call: Call, text: string): void {
    for (const [id, one] of this.#calls) {
      if (one.call !== call) continue;
      this.#calls.delete(id);
      this.#child.send(spliced(onOneLine(text), [[["params", "requestId"], id]]));
    }
  }

  /** What a client answers to a question. */
  answer(id: string, text: string): void {
    const asked = this.#questions.get(id);
    this.#questions.delete(id);
    if (asked !== undefined) this.#child.send(spliced(onOneLine(text), [[["id"], asked]]));
  }

  /** Settles when nothing of it is left. */
  end(): Promise<void> {
    this.#isEnding = true;
    return this.#child.end();
  }

  #add(call: Call, { method, params }: Pick<Request, "method" | "params">): number {
    const id = ++this.#counter;
    this.#calls.set(id, { call, list: isList(method, params) ? method : undefined });
    return id;
  }

  #send(line: string, id: number): void {
    if (this.#child.send(line)) return;
    const call = this.#calls.get(id)?.call;
    this.#calls.delete(id);
    call?.end(errorText(call.id, RPC.internalError, "cannot pass it to the server: it takes no input"));
  }

  #hear(text: string): void {
    const message = readMessage(text);
    switch (message.kind) {
      case "none":
        this.#events.says("out", text.slice(0, 1000));
        break;
      case "response":
        this.#heardAnswer(message.id, text);
        break;
      case "notification":
        this.#heardNotification(message.method, message.params, text);
        break;
      case "request":
        this.#heardQuestion(message, text);
    }
  }

  /** Ids that nobody has asked under, or that were answered already, are nobody's. */
  #heardAnswer(id: Id, text: string): void {
    const known = this.#calls.get(id);
    if (known === undefined) return;
    const { call, list } = known;
    this.#calls.delete(id);
    if (list !== undefined) this.#events.listed(list, text);
    call.end(
      spliced(text, [[["id"], call.id], ...(call.isListening ? [[SUBSCRIBED, call.id] as const] : [])]),
    );
  }

  #heardNotification(method: string, params: Readonly<Record<string, unknown>>, text: string): void {
    const subscription = metaOf(params)[KEY.subscription];
    if (subscription !== undefined) {
      const call = this.#calls.get(subscription as Id)?.call;
      call?.tell(spliced(text, [[["params", "_meta", KEY.subscription], call.id]]));
      return;
    }
    if (method === "notifications/progress") {
      const call = this.#calls.get(params.progressToken as Id)?.call;
      if (call?.token !== undefined) call.tell(spliced(text, [[["params", "progressToken"], call.token]]));
      return;
    }
    if (method === "notifications/cancelled") {
      for (const [id, asked] of this.#questions) {
        if (asked !== params.requestId) continue;
        this.#questions.delete(id);
        this.#events.unasked(id);
      }
      return;
    }
    this.#events.notified(method, text, params);
  }

  #heardQuestion({ id, method }: Request, text: string): void {
    if (method === "ping") {
      this.#child.send(doneText(id));
      return;
    }
    const own = `xy-${this.startedAt.toString(36)}-${++this.#counter}`;
    this.#questions.set(own, id);
    if (this.#events.asked(own, spliced(text, [[["id"], own]]))) return;
    this.#questions.delete(own);
    const why = `cannot ask ${method}: no client, or more than one, could have caused it`;
    this.#child.send(errorText(id, RPC.internalError, why));
  }

  #fail(why: string): void {
    for (const [id, { call }] of [...this.#calls]) {
      if (call.isListening) continue;
      this.#calls.delete(id);
      call.end(errorText(call.id, RPC.internalError, why));
    }
  }

  #end(why: string): void {
    this.#isOver = true;
    this.#fail(`the server ended before it answered: ${why}`);
    this.#calls.clear();
    this.#questions.clear();
    this.#events.ended(why);
  }
}
