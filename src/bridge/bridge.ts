import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Answer, EventStream, sendJson } from "./answer.ts";
import { Children, type ChildrenOptions, oldest, type RunningChild } from "./children.ts";
import { Refused } from "./host.ts";
import { doneText, errorText, type Message, progressToken, RPC } from "./message.ts";
import { mostWanted, Session } from "./session.ts";
import { spliced } from "./splice.ts";
import { VERSIONS } from "./versions.ts";

type Request = Extract<Message, { kind: "request" }>;
type Notification = Extract<Message, { kind: "notification" }>;
type Response = Extract<Message, { kind: "response" }>;

export interface BridgeOptions extends ChildrenOptions {
  readonly maxSessions: number;
}

export const SESSION_HEADER = "Mcp-Session-Id";
/** Requests of one client that are worked on at once. */
const MOST_CALLS = 256;

/** All sessions, and the children that work for them. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #children: Children;
  #isClosed = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#children = new Children(options, () => this.#all);
  }

  /** The children that run. */
  get children(): RunningChild[] {
    return this.#children.running;
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  get #all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** A client introduces itself. */
  async initialize(request: Request, response: ServerResponse, accept: string): Promise<void> {
    const session = new Session(randomUUID(), request.params, Date.now());
    const why = this.#roomForSession();
    if (why !== undefined)
      return sendJson(response, 503, errorText(request.id, RPC.refused, why), { "Retry-After": "5" });
    this.#sessions.set(session.id, session);
    const answer = new Answer(response, accept, { [SESSION_HEADER]: session.id });
    answer.begin();
    try {
      await this.#children.reached(session);
      const { greeting = "" } = this.#children.of(session);
      answer.end(spliced(greetingFor(greeting, request), [[["id"], request.id]]));
    } catch (error) {
      await this.#drop(session);
      const { message } = error as Error;
      // No session came of it.
      const said =
        error instanceof Refused
          ? spliced(error.answer, [[["id"], request.id]])
          : errorText(request.id, RPC.internalError, `cannot start the server: ${message}`);
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
    const { id } = request;
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
    session.calls.set(id, { call, answer });
    answer.begin();
    const own = this.#answered(session, request);
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
    const host = this.#children.of(session);
    if (method === "notifications/cancelled") {
      const found = session.calls.get(params.requestId as string);
      if (found === undefined) return;
      session.calls.delete(found.call.id);
      host.running?.cancel(found.call, text);
      // There are servers that answer nothing then.
      found.answer.close();
      return;
    }
    // A shared child was told already, and has nobody's folders.
    if (this.#children.isShared && /^notifications\/(initialized|roots\/list_changed)$/.test(method)) return;
    host.running?.pass(text);
  }

  answer(session: Session, { id }: Response, text: string): void {
    session.usedAt = Date.now();
    if (typeof id !== "string" || !session.questions.delete(id)) return;
    this.#children.of(session).running?.answer(id, text);
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
    for (const session of this.#all) session.close();
    await this.#children.close();
  }

  // --- what is told a child ---------------------------------------------------------------------------------------

  /** What is answered here; undefined: that is for a child. Notes what a child has to be told again. */
  #answered(session: Session, { id, method, params }: Request): string | undefined {
    const done = doneText(id);
    if (method === "ping") return done;
    const uri = String(params.uri);
    const isOthers = () =>
      this.#children.isShared && this.#all.some((one) => one !== session && one.subscriptions.has(uri));
    if (method === "resources/subscribe") {
      session.subscriptions.add(uri);
      return isOthers() ? done : undefined;
    }
    if (method === "resources/unsubscribe") {
      session.subscriptions.delete(uri);
      return isOthers() ? done : undefined;
    }
    if (method === "logging/setLevel" && typeof params.level === "string") session.level = params.level;
    return undefined;
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
    const { maxSessions } = this.#options;
    if (this.#sessions.size < maxSessions) return undefined;
    const idle = oldest(this.#all.filter((one) => !one.isBusy && !one.isConnected));
    if (idle === undefined) return `cannot take another client: ${maxSessions} are connected`;
    void this.#drop(idle);
    return undefined;
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    session.close();
    await this.#children.drop(session);
  }
}

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
