import { setTimeout as pause } from "node:timers/promises";
import { errorText, type Id, type Message, RPC, readMessage } from "../bridge/message.ts";
import { onOneLine } from "../bridge/splice.ts";
import { isObject } from "../model/object.ts";
import type { Door } from "./door.ts";
import type { Ended } from "./exchange.ts";
import { Mirrored } from "./mirrored.ts";
import { type Nowhere, Remote } from "./remote.ts";
import {
  agreedHeaders,
  errorIn,
  headersOf,
  isRepeatable,
  isUnknownSession,
  ownVersion,
  SESSION_HEADER,
} from "./rules.ts";
import { Session } from "./session.ts";
import { Stream } from "./stream.ts";
import { why } from "./words.ts";

/** Most calls at once. */
const MOST_CALLS = 1000;
/** How often an answer that broke off is asked for again, where the server can go on with it. */
const MOST_RESUMES = 20;
/** Before that, where the server does not say when, ms. */
const RESUME_WAIT = 500;
/** After the answer to a call, a stream on which it came may go on for so long, ms. */
const AFTER_ANSWER = 2000;
/** A notification that is not taken within so long no longer keeps back what comes after it, ms. */
const NOTIFY_BOUND = 5000;

type Request = Extract<Message, { kind: "request" }>;
type Notification = Extract<Message, { kind: "notification" }>;

/** A request of the client that has no answer yet. */
interface Call {
  readonly message: Request;
  readonly text: string;
  /** Hangs up. */
  readonly cut: AbortController;
  /** It has its answer, or needs none any more. */
  isOver: boolean;
  /** The session that the answer opened. */
  session?: string | undefined;
}

export interface Client {
  /** Hands it a message, as one line. What is returned is waited for. */
  readonly write: (text: string) => Promise<void> | undefined;
  /** A word for people. */
  readonly says: (text: string) => void;
}

/** Between a client that speaks over stdin and stdout, and a server that speaks over HTTP. */
export class Shim {
  readonly #name: string;
  readonly #client: Client;
  readonly #remote: Remote;
  readonly #session: Session;
  readonly #stream: Stream;
  readonly #mirrored = new Mirrored();
  readonly #calls = new Map<Id, Call>();
  /** What was taken is sent in that order. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #whenIdle: (() => void)[] = [];

  constructor(name: string, door: Door, client: Client) {
    this.#name = name;
    this.#client = client;
    this.#remote = new Remote(door);
    const heard = (text: string) => this.#heard(text);
    this.#session = new Session(name, this.#remote, heard);
    this.#stream = new Stream(this.#remote, this.#session, heard);
  }

  /** So much waits that no more should be taken. */
  get isFull(): boolean {
    return this.#waiting >= MOST_CALLS;
  }

  /** Takes a line of the client. Settles when more may be taken, if it is full. */
  take(line: string): Promise<void> | undefined {
    if (line.trim() === "") return undefined;
    const message = readMessage(line);
    if (message.kind === "none") return this.#client.write(errorText(message.id, message.code, message.why));
    const send = this.#begun(message, line);
    if (send === undefined) return undefined;
    this.#waiting++;
    this.#turn = this.#turn.then(async () => {
      await send();
      this.#waiting--;
    });
    return this.isFull ? this.#turn : undefined;
  }

  /** Until everything that was taken is answered. */
  async idle(): Promise<void> {
    await this.#turn;
    if (this.#calls.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Answers to all that has no answer yet. `fault`: what the server did. */
  giveUp(fault: string): void {
    for (const call of [...this.#calls.values()]) {
      this.#fail(call, `${this.#name} ${fault}`);
      call.cut.abort();
    }
  }

  /** Ends everything, and the session. */
  async close(): Promise<void> {
    this.#stream.close();
    for (const call of this.#calls.values()) call.cut.abort();
    await this.#session.end();
    this.#remote.close();
  }

  /** How a message is sent when its turn has come; the next one's turn is when that settles. */
  #begun(message: Message, text: string): (() => Promise<unknown>) | undefined {
    switch (message.kind) {
      case "response":
        return () => this.#post(message, text);
      case "notification":
        if (message.method === "notifications/cancelled") return this.#cancelled(message, text);
        return () => this.#notify(message, text);
      case "request": {
        if (this.#calls.has(message.id)) {
          void this.#client.write(errorText(null, RPC.invalidRequest, `the id ${message.id} is in use`));
          return undefined;
        }
        if (this.#calls.size >= MOST_CALLS) {
          const refusal = `${MOST_CALLS} calls are under way: wait for their answers`;
          void this.#client.write(errorText(message.id, RPC.refused, refusal));
          return undefined;
        }
        const call: Call = { message, text, cut: new AbortController(), isOver: false };
        this.#calls.set(message.id, call);
        const first = message.method === "initialize";
        return async () => {
          const answered = this.#answered(call);
          // Whatever comes next belongs to the session that this opens.
          if (first) await answered;
        };
      }
    }
  }

  /** Versions without sessions cancel by hanging up, the others by saying so. */
  #cancelled(message: Notification, text: string): (() => Promise<unknown>) | undefined {
    const { requestId } = message.params;
    const call = this.#calls.get(requestId as Id);
    const isModern = call !== undefined && ownVersion(call.message) !== undefined;
    const end = () => {
      if (call === undefined) return;
      this.#over(call);
      call.cut.abort();
    };
    if (isModern) return void end();
    return async () => {
      await this.#notify(message, text);
      end();
    };
  }

  async #notify(message: Notification, text: string): Promise<void> {
    const taken = this.#post(message, text).then(() => {
      if (message.method === "notifications/initialized") this.#stream.open();
    });
    const waited = new AbortController();
    await Promise.race([taken, pause(NOTIFY_BOUND, undefined, waited).catch(() => {})]);
    waited.abort();
  }

  /** Sends what has no answer. */
  async #post(message: Message, text: string): Promise<void> {
    const { agreed } = this.#session;
    const ended = await this.#send(message, text, AbortSignal.timeout(60_000));
    if (!this.#isLost(ended, agreed.session)) {
      if (ended.kind !== "over") this.#client.says(why(this.#name, ended));
      return;
    }
    // An answer to a question of the lost session is of no use to the next.
    if ((await this.#session.renew(agreed)) !== undefined || message.kind === "response") return;
    if (message.kind === "notification" && message.method === "notifications/initialized") return;
    await this.#send(message, text, AbortSignal.timeout(60_000));
  }

  #isLost(ended: Ended | Nowhere, session: string | undefined): boolean {
    return session !== undefined && ended.kind === "refused" && isUnknownSession(ended.status, ended.body);
  }

  async #send(message: Message, text: string, signal: AbortSignal, call?: Call): Promise<Ended | Nowhere> {
    const ended = await this.#remote.send({
      method: "POST",
      headers: { ...headersOf(message, this.#session.agreed), ...this.#mirrored.headersOf(message) },
      body: text,
      signal,
      message: (said) => this.#heard(said),
      opened: (headers) => {
        if (call) call.session = headers[SESSION_HEADER.toLowerCase()]?.toString();
        this.#stream.seen();
      },
    });
    return ended;
  }

  /** Until a request has its answer. */
  async #answered(call: Call): Promise<void> {
    const { message, text } = call;
    const { signal } = call.cut;
    const isFirst = message.method === "initialize";
    let mayRenew = !isFirst;
    let mayRepeat = isRepeatable(message.method);
    for (;;) {
      const { agreed } = this.#session;
      let ended = await this.#send(message, text, signal, call);
      if (call.isOver || signal.aborted) return;
      if (mayRenew && this.#isLost(ended, agreed.session)) {
        mayRenew = false;
        const fault = await this.#session.renew(agreed);
        if (fault === undefined) continue;
        return this.#fail(call, fault);
      }
      ended = await this.#resumed(call, ended);
      if (call.isOver || signal.aborted) return;
      if (ended.kind === "broken" && mayRepeat) {
        mayRepeat = false;
        continue;
      }
      return this.#fail(call, why(this.#name, ended), ended.kind === "refused" ? ended.body : "");
    }
  }

  /** An answer that broke off, where the server has said how to go on with it. */
  async #resumed(call: Call, ended: Ended | Nowhere): Promise<Ended | Nowhere> {
    const { signal } = call.cut;
    let last = ended;
    for (let tries = 0; tries < MOST_RESUMES && !call.isOver && !signal.aborted; tries++) {
      if ((last.kind !== "over" && last.kind !== "broken") || last.lastId === undefined) return last;
      await pause(last.retry ?? RESUME_WAIT, undefined, { signal }).catch(() => {});
      const next = await this.#remote.send({
        method: "GET",
        headers: { ...agreedHeaders(this.#session.agreed), "Last-Event-ID": last.lastId },
        signal,
        message: (said) => this.#heard(said),
      });
      // That the server, which may be another by now, knows nothing of it is no news.
      if (next.kind !== "over" && next.kind !== "broken") return { ...last, lastId: undefined };
      last = { ...next, lastId: next.lastId ?? last.lastId };
    }
    return last;
  }

  #fail(call: Call, fault: string, body = ""): void {
    this.#over(call);
    const error = errorIn(body) ?? { code: RPC.refused, message: fault, data: undefined };
    void this.#client.write(errorText(call.message.id, error.code, error.message, error.data));
  }

  #over(call: Call): void {
    call.isOver = true;
    this.#calls.delete(call.message.id);
    setTimeout(() => call.cut.abort(), AFTER_ANSWER).unref();
    if (this.#calls.size === 0) for (const told of this.#whenIdle.splice(0)) told();
  }

  /** A message of the server. */
  #heard(text: string): Promise<void> | undefined {
    const message = readMessage(text);
    if (message.kind === "none") {
      const all: unknown = message.code === RPC.parseError ? undefined : JSON.parse(text);
      if (!Array.isArray(all)) return void this.#client.says(`${this.#name} sent what is no message`);
      // A version that is gone had several in one.
      return Promise.all(all.map((one) => this.#heard(JSON.stringify(one)))).then(() => {});
    }
    if (message.kind !== "response") return this.#client.write(onOneLine(text));
    const call = this.#calls.get(message.id);
    // Cancelled, or answered before.
    if (call === undefined) return undefined;
    const { method } = call.message;
    if (method === "initialize") this.#begin(call, text);
    else if (method === "tools/list") this.#mirrored.learn((JSON.parse(text) as { result?: unknown }).result);
    else if (errorIn(text) === undefined) this.#session.note(call.message);
    this.#over(call);
    return this.#client.write(onOneLine(text));
  }

  #begin(call: Call, text: string): void {
    const answer: unknown = JSON.parse(text);
    if (isObject(answer) && isObject(answer.result))
      this.#session.begin(call.message.params, answer.result, call.session);
  }
}
