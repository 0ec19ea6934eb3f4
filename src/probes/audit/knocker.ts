import { randomInt } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { deadlineIn, exchange } from "../http-request.ts";
import type { RpcAnswer } from "../json-rpc.ts";
import { type AnswerSearch, searchBody } from "../mcp-answer.ts";

/** Single requests to a server, each over a connection of its own, and what comes back. Every session is ended. */

export interface AuditPlace {
  /** Where to connect. */
  readonly address: string;
  readonly port: number;
  /** The `Host` header of an honest client. */
  readonly host: string;
  readonly path: string;
  readonly token?: string | undefined;
  /** For each request, ms. */
  readonly timeoutMs: number;
}

export interface Knock {
  readonly method?: "POST" | "GET" | "DELETE" | "OPTIONS";
  /** A request of JSON-RPC; `body` is sent as it is. */
  readonly rpc?: { readonly method: string; readonly params?: unknown };
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  /** Undefined: that of the place. */
  readonly token?: string | null;
}

export interface Reply {
  /** 0: no answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly answer?: RpcAnswer | undefined;
  /** Why there is no answer: "refuses connections". */
  readonly refusal?: string | undefined;
  /** The session that it opened. */
  readonly session?: string | undefined;
}

/** Most sessions that are ended: an honest server opens two. */
const MOST_SESSIONS = 20;

export class Knocker {
  readonly place: AuditPlace;
  readonly #signal: AbortSignal;
  readonly #sessions = new Set<string>();

  constructor(place: AuditPlace, signal: AbortSignal) {
    this.place = place;
    this.#signal = signal;
  }

  async ask({
    method = "POST",
    rpc,
    body,
    headers = {},
    host = this.place.host,
    token,
  }: Knock): Promise<Reply> {
    const { address, port, path, timeoutMs } = this.place;
    const id = randomInt(1, 2 ** 31);
    const text = rpc ? JSON.stringify({ jsonrpc: "2.0", id, ...rpc }) : body;
    const known = token === undefined ? this.place.token : token;
    let search: AnswerSearch | undefined;
    let session: string | undefined;
    const { head, refusal } = await exchange(
      {
        ...{ method, address, port, host, path },
        headers: {
          ...(method === "GET" ? { Accept: "text/event-stream" } : {}),
          ...(method === "POST" ? { Accept: "application/json, text/event-stream" } : {}),
          ...(text === undefined ? {} : { "Content-Type": "application/json" }),
          ...(typeof known === "string" ? { Authorization: `Bearer ${known}` } : {}),
          ...headers,
        },
        ...(text === undefined ? {} : { body: text }),
        deadline: deadlineIn(timeoutMs),
        signal: this.#signal,
      },
      (opened) => {
        session = opened.headers["mcp-session-id"]?.toString();
        if (session !== undefined && this.#sessions.size < MOST_SESSIONS) this.#sessions.add(session);
        if (method !== "POST") return undefined;
        search = searchBody(opened, id);
        return search.reader;
      },
    );
    return {
      status: head?.status ?? 0,
      headers: head?.headers ?? {},
      answer: search?.found(),
      refusal,
      session,
    };
  }

  /** Opens a stream, and holds it open until it is closed. */
  async hold(headers: Readonly<Record<string, string>>): Promise<{ status: number; close: () => void }> {
    const { address, port, host, path, token, timeoutMs } = this.place;
    const closed = new AbortController();
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const status = await new Promise<number>((resolve) => {
      void exchange(
        {
          ...{ method: "GET", address, port, host, path, deadline: deadlineIn(timeoutMs) },
          headers: { Accept: "text/event-stream", ...authorization, ...headers },
          signal: AbortSignal.any([this.#signal, closed.signal]),
        },
        (head) => {
          resolve(head.status);
          return () => false;
        },
      ).then(() => resolve(0));
    });
    return { status, close: () => closed.abort() };
  }

  /** It was ended, and the server said so. */
  forget(session: string): void {
    this.#sessions.delete(session);
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#sessions].map((session) =>
        this.ask({ method: "DELETE", headers: { "Mcp-Session-Id": session } }),
      ),
    );
  }
}
