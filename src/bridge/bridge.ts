import type { ServerResponse } from "node:http";
import type { BridgeStatus } from "../model/bridge-status.ts";
import { Answer, EventStream, sendJson } from "./answer.ts";
import { Children, type ChildrenOptions, type RunningChild } from "./children.ts";
import { CANCELLED } from "./eras/listens.ts";
import type { ModernClients } from "./eras/modern.ts";
import { doneText, errorText, type Id, type Message, progressToken, RPC } from "./message.ts";
import { Refused } from "./opening.ts";
import { isLevel, mostWanted, type OpenCall, type Session } from "./session.ts";
import type { SessionFolder } from "./session-file.ts";
import { Sessions } from "./sessions.ts";
import { spliced } from "./splice.ts";
import { statusOf } from "./status.ts";
import { VERSIONS } from "./versions.ts";

type Request = Extract<Message, { kind: "request" }>;
type Notification = Extract<Message, { kind: "notification" }>;
type Response = Extract<Message, { kind: "response" }>;

export interface BridgeOptions extends ChildrenOptions {
  readonly maxSessions: number;
  /** Where sessions are kept for the next bridge; undefined: they end with this one. */
  readonly folder?: SessionFolder | undefined;
  /** A call whose client has gone is given up after this, ms. */
  readonly leftAfter?: number | undefined;
}

export const SESSION_HEADER = "Mcp-Session-Id";
/** Requests of one client that are worked on at once. */
const MOST_CALLS = 256;
/** Longest params of an `initialize`, characters. */
const LONGEST_INTRODUCTION = 64 * 1024;
/** Subscriptions of one client, and characters of each. */
const MOST_SUBSCRIPTIONS = { number: 256, characters: 2048 };
/** A client that has lost the connection of a call cannot hear the answer, but may still cancel it within this, ms. */
const LEFT_AFTER = 600_000;
/** Between two looks at which sessions were used, and which calls were left, ms. */
const KEEP_GAP = 10_000;

/** All sessions, and the children that work for them. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #sessions: Sessions;
  readonly #children: Children;
  readonly #keeping: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options.maxSessions, options.folder);
    this.#children = new Children(options, () => this.#all);
    const { leftAfter = LEFT_AFTER } = options;
    const look = () => {
      this.#sessions.keepTimes();
      this.#giveUp(Date.now() - leftAfter);
    };
    this.#keeping = setInterval(look, Math.min(KEEP_GAP, leftAfter));
  }

  /** Takes up the sessions of the bridge before: once nothing else can be that, as this one listens. */
  resume(): void {
    this.#sessions.resume();
  }

  /** The children that run. */
  get children(): RunningChild[] {
    return this.#children.running;
  }

  /** Has the server prove that it works; with `on-demand` it sleeps then. Settles with why it ended, if it does so at once. */
  prove(): Promise<string | undefined> {
    return this.#children.prove();
  }

  get status(): BridgeStatus {
    return statusOf(this.#children, this.#all);
  }

  /** Clients of the version without sessions. */
  get sessionless(): ModernClients {
    return this.#children.eras.clients;
  }

  find(id: string): Session | undefined {
    return this.#sessions.find(id);
  }

  get #all(): Session[] {
    return this.#sessions.all;
  }

  /** A client introduces itself. */
  async initialize(request: Request, response: ServerResponse, accept: string): Promise<void> {
    const { id, params } = request;
    if (JSON.stringify(params).length > LONGEST_INTRODUCTION)
      return refuse(
        response,
        400,
        id,
        `cannot take an introduction of more than ${LONGEST_INTRODUCTION} characters`,
      );
    const why = this.#roomForSession();
    if (why !== undefined)
      return sendJson(response, 503, errorText(id, RPC.refused, why), { "Retry-After": "5" });
    const session = this.#sessions.open(params, Date.now());
    const answer = new Answer(response, accept, { [SESSION_HEADER]: session.id });
    answer.begin();
    try {
      const greeting = await this.#children.greeted(session);
      session.isGreeted = true;
      this.#sessions.keep(session);
      answer.end(spliced(greetingFor(greeting, request), [[["id"], id]]));
    } catch (error) {
      await this.#drop(session);
      const { message } = error as Error;
      // No session came of it.
      const said =
        error instanceof Refused
          ? spliced(error.answer, [[["id"], id]])
          : errorText(id, RPC.internalError, `cannot start the server: ${message}`);
      answer.end(said, {});
    }
  }

  /** A request of a client that is known. */
  async call(
    session: Session,
    request: Request,
    text: string,
    response: ServerResponse,
    accept: string,
  ): Promise<void> {
    const { id, method, params } = request;
    session.usedAt = Date.now();
    if (session.calls.has(id))
      return refuse(response, 400, id, "cannot begin it: a request with this id is under way");
    if (session.calls.size >= MOST_CALLS)
      return refuse(response, 429, id, `cannot begin it: ${MOST_CALLS} requests are under way`);
    const answer = new Answer(response, accept);
    const call = {
      ...{ id, token: progressToken(request.params) },
      tell: (message: string) => answer.tell(message),
      end: (message: string) => {
        session.calls.delete(id);
        session.usedAt = Date.now();
        answer.end(message);
      },
    };
    const open: OpenCall = { call, answer, leftAt: undefined };
    session.calls.set(id, open);
    response.once("close", () => {
      open.leftAt = Date.now();
    });
    answer.begin();
    const own = this.#answered(session, request) ?? this.#children.remembered(session, method, params, id);
    if (own !== undefined) return call.end(own);
    try {
      const link = await this.#children.reached(session);
      // It may have been cancelled meanwhile.
      if (session.calls.get(id)?.call === call)
        link.call(request, this.#shared(session, request, text), call);
    } catch (error) {
      call.end(errorText(id, RPC.internalError, `cannot start the server: ${(error as Error).message}`));
    }
  }

  notify(session: Session, { method, params }: Notification, text: string): void {
    session.usedAt = Date.now();
    const peer = this.#children.peer(session);
    if (method === "notifications/cancelled") {
      const found = session.calls.get(params.requestId as string);
      if (found === undefined) return;
      session.calls.delete(found.call.id);
      peer?.cancel(found.call, text);
      // There are servers that answer nothing then.
      found.answer.close();
      return;
    }
    // A shared child was told already, and has nobody's folders.
    if (this.#children.isShared && /^notifications\/(initialized|roots\/list_changed)$/.test(method)) return;
    peer?.pass(text);
  }

  answer(session: Session, { id }: Response, text: string): void {
    session.usedAt = Date.now();
    if (typeof id !== "string" || !session.questions.delete(id)) return;
    this.#children.peer(session)?.answer(id, text);
  }

  listen(session: Session, response: ServerResponse): void {
    session.usedAt = Date.now();
    const stream = new EventStream(response, { [SESSION_HEADER]: session.id });
    response.once("close", () => {
      session.usedAt = Date.now();
    });
    session.open(stream);
  }

  /** The client is done. */
  end(session: Session): Promise<void> {
    return this.#drop(session);
  }

  /** Ends all children. Settles when nothing of them is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#keeping);
    this.#sessions.keepTimes(0);
    for (const session of this.#all) session.close(this.#options.folder ? ENDING : OVER);
    await this.#children.close();
  }

  // --- what is told a child ---------------------------------------------------------------------------------------

  /** What is answered here; undefined: that is for a child. Notes what a child has to be told again. */
  #answered(session: Session, { id, method, params }: Request): string | undefined {
    switch (method) {
      case "ping":
        return doneText(id);
      case "resources/subscribe":
      case "resources/unsubscribe":
        return this.#subscribed(session, id, String(params.uri), method === "resources/subscribe");
      case "logging/setLevel":
        if (!isLevel(params.level)) return undefined;
        session.level = params.level;
        this.#sessions.keep(session);
        return undefined;
      default:
        return undefined;
    }
  }

  #subscribed(session: Session, id: Id, uri: string, isWanted: boolean): string | undefined {
    const { number, characters } = MOST_SUBSCRIPTIONS;
    if (isWanted && (session.subscriptions.size >= number || uri.length > characters))
      return errorText(
        id,
        RPC.refused,
        `cannot subscribe to more than ${number} resources, nor to longer names than ${characters} characters`,
      );
    if (isWanted) session.subscriptions.add(uri);
    else session.subscriptions.delete(uri);
    this.#sessions.keep(session);
    const isOthers =
      this.#children.isShared &&
      (this.#all.some((one) => one !== session && one.subscriptions.has(uri)) ||
        this.sessionless.subscriptions.includes(uri));
    return isOthers ? doneText(id) : undefined;
  }

  /** What a shared child gets of a request: it prints as much as the client that wants most. */
  #shared(session: Session, { method }: Request, text: string): string {
    if (!this.#children.isShared || method !== "logging/setLevel" || session.level === undefined) return text;
    const level = mostWanted(this.#all);
    return level === undefined ? text : spliced(text, [[["params", "level"], level]]);
  }

  // --- bounds ---------------------------------------------------------------------------------------------------

  /** Room for one more session, at the cost of the one that was used longest ago. Else why there is none. */
  #roomForSession(): string | undefined {
    if (this.#isClosed) return "cannot take a client: the bridge is ending";
    const idle = this.#sessions.inTheWay;
    if (idle === "none") return `cannot take another client: ${this.#options.maxSessions} are connected`;
    if (idle !== undefined) void this.#drop(idle);
    return undefined;
  }

  /** Ends calls whose clients had gone by then: nobody hears their answers, and sessions and children wait for them. */
  #giveUp(until: number): void {
    for (const session of this.#all)
      for (const [id, { call, leftAt = Number.POSITIVE_INFINITY }] of [...session.calls]) {
        if (leftAt > until) continue;
        session.calls.delete(id);
        this.#children.peer(session)?.cancel(call, CANCELLED);
      }
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.forget(session);
    session.close(OVER);
    await this.#children.drop(session);
  }
}

/** What a call is answered that cannot be ended. */
const OVER = "the session is over";
const ENDING = "the bridge is ending: send it again";

/** A shared child has answered for its own newest version: a client that asked for an earlier one gets that. */
function greetingFor(greeting: string, { params }: Request): string {
  const said = JSON.parse(greeting).result.protocolVersion;
  const asked = String(params.protocolVersion);
  const isEarlier = VERSIONS.indexOf(asked) > VERSIONS.indexOf(said);
  return isEarlier ? spliced(greeting, [[["result", "protocolVersion"], asked]]) : greeting;
}

function refuse(response: ServerResponse, status: number, id: string | number, why: string): void {
  sendJson(response, status, errorText(id, RPC.invalidRequest, why));
}
