import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { isObject } from "../../model/object.ts";
import { Answer, sendJson } from "../answer.ts";
import type { Call, Link } from "../link.ts";
import { errorText, type Id, type Message, notificationText, progressToken, RPC } from "../message.ts";
import { onOneLine, spliced } from "../splice.ts";
import { VERSIONS } from "../versions.ts";
import { KEY, LIST_NEWS, listNews, MODERN, metaOf, mismatch, missing } from "./envelope.ts";
import type { Era } from "./finder.ts";
import type { Guests } from "./guests.ts";
import { CANCELLED, Listener, type Listens } from "./listens.ts";
import type { Hearer, Logs } from "./logs.ts";
import { whyLost } from "./lost.ts";
import { discoveryFrom, resultIn, stamped } from "./translate.ts";

type Request = Extract<Message, { kind: "request" }>;

/** Requests of all clients without sessions that are worked on at once, and streams for news. */
const MOST_CALLS = 1024;
/** What is refused later than this has no status of its own, ms: a server may have to be started to know. */
const STATUS_BOUND = 15_000;
/** Answers of a server that are refusals of the request itself. */
const REFUSALS: readonly unknown[] = [RPC.missingCapability, RPC.unsupportedVersion, RPC.headerMismatch];

/** The server, as all clients without sessions share it. */
export interface SharedServer {
  readonly listens: Listens;
  readonly logs: Logs;
  readonly guests: Guests;
  /** Each client has a process of its own, if the server is of the legacy era. */
  readonly isForSessions: boolean;
  era(): Promise<Era>;
  reached(): Promise<Link>;
  readonly running: Link | undefined;
  /** A list as it was said last, while the server sleeps. */
  remembered(method: string, params: Readonly<Record<string, unknown>>, id: Id): string | undefined;
  /** What of the log the client wants that wants most, with one more. */
  wantedLevel(level: unknown): string | undefined;
  /** Whether somebody wants news of that resource. */
  wants(uri: string): boolean;
  /** What it answered when it was greeted; undefined: it has not been yet. */
  readonly greeting: string | undefined;
}

/** A client that waits for news of a server with sessions. */
interface Waiting {
  readonly id: Id;
  readonly kinds: ReadonlySet<string>;
  readonly uris: ReadonlySet<string>;
  readonly answer: Answer;
}

/** What clients without sessions ask. */
export class ModernClients {
  readonly #server: SharedServer;
  readonly #waiting = new Set<Waiting>();
  #calls = 0;
  /** Of the last request, unix ms; undefined: there was none. */
  usedAt: number | undefined;

  constructor(server: SharedServer) {
    this.#server = server;
  }

  /** Nobody waits for an answer or for news. */
  get isIdle(): boolean {
    return this.#calls === 0;
  }

  /** Resources that some of them want news of. */
  get subscriptions(): string[] {
    return [...this.#waiting].flatMap(({ uris }) => [...uris]);
  }

  async posted(
    message: Message,
    text: string,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
  ): Promise<void> {
    if (message.kind === "response")
      return refuse(response, message.id, RPC.invalidRequest, "cannot take an answer: nothing was asked");
    // What such a client does not want any more, it says by closing the stream.
    if (message.kind === "notification") return void response.writeHead(202).end();
    const { id, method } = message;
    const answer = new Answer(response, headers.accept ?? "*/*");
    answer.begin(STATUS_BOUND);
    let era: Era;
    try {
      era = await this.#server.era();
    } catch (error) {
      return answer.end(notStarted(id, error));
    }
    const version = metaOf(message.params)[KEY.version] ?? headers["mcp-protocol-version"];
    const isServed = era === "modern" || !this.#server.isForSessions;
    if (!isServed || (version !== undefined && version !== MODERN)) {
      const supported = isServed ? [MODERN, ...VERSIONS] : VERSIONS;
      const why = `cannot speak the version ${String(version).slice(0, 100)} of MCP with this server`;
      return answer.end(
        errorText(id, RPC.unsupportedVersion, why, { supported, requested: version }),
        {},
        400,
      );
    }
    const wrong = mismatch(headers, message);
    if (wrong !== undefined)
      return answer.end(errorText(id, RPC.headerMismatch, `cannot take it: ${wrong}`), {}, 400);
    const lacks = missing(message);
    if (lacks !== undefined)
      return answer.end(errorText(id, RPC.invalidParams, `cannot take it: _meta has no ${lacks}`), {}, 400);
    if (this.#calls >= MOST_CALLS)
      return answer.end(errorText(id, RPC.refused, `cannot begin it: ${MOST_CALLS} are under way`), {}, 429);
    if (method !== "server/discover") answer.begin();
    this.#calls++;
    this.usedAt = Date.now();
    response.once("close", () => {
      this.#calls--;
      this.usedAt = Date.now();
    });
    try {
      if (method === "server/discover") return await this.#discovered(id, era, answer);
      const known = this.#server.remembered(method, message.params, id);
      if (known !== undefined) return answer.end(known);
      const link = await this.#server.reached();
      if (response.destroyed) return;
      if (era === "modern") this.#passed(message, text, link, answer, response);
      else this.#translated(message, text, link, answer, response);
    } catch (error) {
      answer.end(notStarted(id, error));
    }
  }

  /** News of a server with sessions. */
  notified(method: string, text: string, params: Readonly<Record<string, unknown>>): void {
    const kind = /^notifications\/(\w+)\/list_changed$/.exec(method)?.[1];
    const uri = method === "notifications/resources/updated" ? String(params.uri) : undefined;
    for (const { id, kinds, uris, answer } of this.#waiting)
      if ((kind !== undefined && kinds.has(kind)) || (uri !== undefined && uris.has(uri)))
        answer.tell(stamped(text, id));
    if (method === "notifications/message") this.#server.guests.logs.tell(params.level, text);
  }

  async #discovered(id: Id, era: Era, answer: Answer): Promise<void> {
    if (this.#server.greeting === undefined) await this.#server.reached();
    const { greeting = "" } = this.#server;
    answer.end(spliced(era === "modern" ? greeting : discoveryFrom(greeting), [[["id"], id]]));
  }

  // --- a server without sessions ------------------------------------------------------------------------------------

  #passed(request: Request, text: string, link: Link, answer: Answer, response: ServerResponse): void {
    const { listens, logs } = this.#server;
    if (request.method === "subscriptions/listen") {
      const listener = new Listener(
        request,
        onOneLine(text),
        (message) => answer.tell(message),
        (message) => {
          answer.end(message);
          listens.close(listener);
        },
      );
      listens.open(listener, link);
      return void response.once("close", () => listens.close(listener));
    }
    const level = metaOf(request.params)[KEY.level];
    const call: Call = {
      ...{ id: request.id, token: progressToken(request.params) },
      tell: (message) => answer.tell(message),
      end: (message) => {
        logs.delete(hearer);
        const isRefusal = message.includes('"error"') && REFUSALS.includes(JSON.parse(message).error?.code);
        answer.end(message, {}, isRefusal ? 400 : 200);
      },
    };
    const hearer: Hearer | undefined =
      typeof level === "string" ? { level, who: call, tell: (line) => void answer.tell(line) } : undefined;
    if (hearer) logs.add(hearer);
    link.call(request, onOneLine(text), call);
    response.once("close", () => {
      logs.delete(hearer);
      link.cancel(call, CANCELLED);
    });
  }

  // --- a server with sessions ---------------------------------------------------------------------------------------

  #translated(request: Request, text: string, link: Link, answer: Answer, response: ServerResponse): void {
    const { id, method, params } = request;
    const why = whyLost("without", method);
    if (why !== undefined)
      return void answer.end(errorText(id, RPC.methodNotFound, `cannot answer ${method}: ${why}`));
    if (method === "subscriptions/listen") return void this.#listened(request, link, answer, response);
    const { guests } = this.#server;
    const level = this.#server.wantedLevel(metaOf(params)[KEY.level]);
    if (metaOf(params)[KEY.level] !== undefined && level !== undefined && this.#isAble("logging"))
      void link.ask("logging/setLevel", { level }, ANSWER_BOUND).catch(() => undefined);
    const guest =
      typeof params.requestState === "string"
        ? guests.back(request, text, answer)
        : guests.call(request, text, link, answer);
    if (typeof guest === "string")
      return void answer.end(errorText(id, RPC.invalidParams, `cannot take it up again: ${guest}`));
    response.once("close", () => guests.left(guest, answer));
  }

  #listened({ id, params }: Request, link: Link, answer: Answer, response: ServerResponse): void {
    const wanted = isObject(params.notifications) ? params.notifications : {};
    const honored = listNews((field, kind) => wanted[field] === true && this.#isAble(kind, "listChanged"));
    const resources = Array.isArray(wanted.resourceSubscriptions) ? wanted.resourceSubscriptions : [];
    const uris = this.#isAble("resources", "subscribe") ? resources.map(String) : [];
    const notifications = {
      ...honored,
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    };
    const kinds = Object.entries(LIST_NEWS).flatMap(([field, kind]) => (honored[field] ? [kind] : []));
    const waiting = { id, kinds: new Set<string>(kinds), uris: new Set(uris), answer };
    for (const uri of waiting.uris) this.#toldOf(link, "resources/subscribe", uri);
    this.#waiting.add(waiting);
    answer.tell(stamped(notificationText("notifications/subscriptions/acknowledged", { notifications }), id));
    response.once("close", () => {
      this.#waiting.delete(waiting);
      for (const uri of waiting.uris)
        if (this.#server.running) this.#toldOf(this.#server.running, "resources/unsubscribe", uri);
    });
  }

  /** Whether the server has said that it can do that. */
  #isAble(kind: string, what?: string): boolean {
    const { capabilities } = resultIn(this.#server.greeting ?? "{}");
    const able = isObject(capabilities) ? capabilities[kind] : undefined;
    return isObject(able) && (what === undefined || able[what] === true);
  }

  /** Subscriptions are counted: only the first and the last concern the server. */
  #toldOf(link: Link, method: string, uri: string): void {
    if (this.#server.wants(uri)) return;
    void link.ask(method, { uri }, ANSWER_BOUND).catch(() => undefined);
  }
}

/** For a server to say that it has understood, ms. */
const ANSWER_BOUND = 10_000;

/** No status of a server that fails: clients would not try the versions with sessions then. */
function notStarted(id: Id, error: unknown): string {
  return errorText(id, RPC.internalError, `cannot start the server: ${(error as Error).message}`);
}

function refuse(response: ServerResponse, id: Id, code: number, why: string): void {
  sendJson(response, 400, errorText(id, code, why));
}
