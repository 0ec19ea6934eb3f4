import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Answer, EventStream, sendJson } from "./answer.ts";
import { type Host, Refused } from "./host.ts";
import { hostOf, type Means, sharedHost } from "./hosts.ts";
import type { Link } from "./link.ts";
import { doneText, errorText, type Message, progressToken, RPC } from "./message.ts";
import { mostWanted, Session } from "./session.ts";
import { spliced } from "./splice.ts";
import { VERSIONS } from "./versions.ts";

type Request = Extract<Message, { kind: "request" }>;
type Notification = Extract<Message, { kind: "notification" }>;
type Response = Extract<Message, { kind: "response" }>;

export interface BridgeOptions extends Means {
  /** `session`: a child for each client; `all`: one for all of them. */
  readonly share: "session" | "all";
  /** Idle for so long, a child is ended until it is needed again, ms; undefined: never. */
  readonly idleStop?: number | undefined;
  readonly maxSessions: number;
  readonly maxChildren: number;
}

export const SESSION_HEADER = "Mcp-Session-Id";
/** Requests of one client that are worked on at once. */
const MOST_CALLS = 256;
/** A client whose last stream was closed is gone, when it does not come back within this, ms. */
const GONE_AFTER = 5000;
/** The same of one that never had a stream: between two of its requests much time may pass, ms. */
const SILENT_AFTER = 600_000;
/** Between two looks at which children are idle, ms. */
const LOOK_GAP = 1000;

/** All sessions, and the children that work for them. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #sessions = new Map<string, Session>();
  /** By session; of a shared child, the one of undefined. */
  readonly #hosts = new Map<Session | undefined, Host>();
  readonly #look: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#look = setInterval(() => this.#sleepIdle(Date.now()), LOOK_GAP);
  }

  /** The children that run. */
  get children(): { readonly session: string | undefined; readonly pid: number }[] {
    return [...this.#hosts].flatMap(([session, { pid }]) =>
      pid === undefined ? [] : [{ session: session?.id, pid }],
    );
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  get #all(): Session[] {
    return [...this.#sessions.values()];
  }

  get #isShared(): boolean {
    return this.#options.share === "all";
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
      await this.#reached(session);
      const { greeting = "" } = this.#hostOf(session);
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
      const link = await this.#reached(session);
      // It may have been cancelled meanwhile.
      if (session.calls.get(id)?.call === call)
        link.call(request, this.#shared(session, request, text), call);
    } catch (error) {
      call.end(errorText(id, RPC.internalError, `cannot start the server: ${(error as Error).message}`));
    }
  }

  notify(session: Session, { method, params }: Notification, text: string): void {
    session.usedAt = Date.now();
    const host = this.#hostOf(session);
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
    if (this.#isShared && /^notifications\/(initialized|roots\/list_changed)$/.test(method)) return;
    host.running?.pass(text);
  }

  answer(session: Session, { id }: Response, text: string): void {
    session.usedAt = Date.now();
    if (typeof id !== "string" || !session.questions.delete(id)) return;
    this.#hostOf(session).running?.answer(id, text);
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
    clearInterval(this.#look);
    for (const session of this.#all) session.close();
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
  }

  // --- children -------------------------------------------------------------------------------------------------

  #hostOf(session: Session): Host {
    const key = this.#isShared ? undefined : session;
    const known = this.#hosts.get(key);
    if (known) return known;
    const host = key === undefined ? sharedHost(() => this.#all, this.#options) : hostOf(key, this.#options);
    this.#hosts.set(key, host);
    return host;
  }

  /** What is answered here; undefined: that is for a child. Notes what a child has to be told again. */
  #answered(session: Session, { id, method, params }: Request): string | undefined {
    const done = doneText(id);
    if (method === "ping") return done;
    const uri = String(params.uri);
    const isOthers = () =>
      this.#isShared && this.#all.some((one) => one !== session && one.subscriptions.has(uri));
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
    if (!this.#isShared || method !== "logging/setLevel" || session.level === undefined) return text;
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

  /** The child of a session, started if need be; the one that was idle longest has to sleep where there are too many. */
  async #reached(session: Session): Promise<Link> {
    const host = this.#hostOf(session);
    const others = [...this.#hosts.values()].filter((one) => one !== host && one.isAwake);
    if (!host.isAwake && others.length >= this.#options.maxChildren) {
      const idle = oldest(others.filter(({ isBusy }) => !isBusy));
      if (idle === undefined) throw new Error(`${others.length} of it are at work for other clients`);
      await idle.sleep();
    }
    return host.reached();
  }

  #sleepIdle(now: number): void {
    const { idleStop = Number.POSITIVE_INFINITY } = this.#options;
    for (const [session, host] of this.#hosts) {
      if (!host.isAwake || host.isBusy) continue;
      const since = now - Math.max(host.usedAt, session?.usedAt ?? 0);
      const isGone =
        session !== undefined &&
        !session.isConnected &&
        since > (session.hadStream ? GONE_AFTER : SILENT_AFTER);
      const isAlone = session === undefined && this.#sessions.size === 0 && since > GONE_AFTER;
      if (since > idleStop || isGone || isAlone) void host.sleep();
    }
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    session.close();
    const host = this.#hosts.get(session);
    this.#hosts.delete(session);
    await host?.close();
  }
}

function oldest<T extends { readonly usedAt: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(
    (old, one) => (old === undefined || one.usedAt < old.usedAt ? one : old),
    undefined,
  );
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
