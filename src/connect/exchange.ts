import { Agent, type IncomingMessage, request } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { ServerEvents } from "../probes/sse.ts";
import { isCode } from "../system/files.ts";

/** One request to a server, and what it answers, message by message. */

/** Longest answer that is one document, bytes. */
const LONGEST_DOCUMENT = 64 * 1024 * 1024;
/** What is read of an answer that is no message, bytes. */
const LONGEST_REFUSAL = 64 * 1024;
/** Until a server has to accept a connection, ms. */
const CONNECT_BOUND = 10_000;

export interface Place {
  readonly url: string;
  readonly token?: string | undefined;
}

export interface Asked {
  readonly method: "POST" | "GET" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Takes each message as it comes; what it returns is waited for. */
  readonly message: (text: string) => Promise<void> | undefined;
  /** The answer has begun, and is none that refuses. */
  readonly opened?: (headers: IncomingMessage["headers"]) => void;
}

export type Ended =
  /** The answer is over, whatever it had. */
  | { readonly kind: "over"; readonly lastId?: string | undefined; readonly retry?: number | undefined }
  /** Answered with another status than 2xx. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** Nobody listens there: nothing was sent. */
  | { readonly kind: "unreachable"; readonly why: string }
  /** The connection broke. */
  | {
      readonly kind: "broken";
      readonly why: string;
      readonly lastId?: string | undefined;
      readonly retry?: number | undefined;
    }
  | { readonly kind: "aborted" };

/** Connections are kept: most of what is asked is one request after another. */
export const connections = () => new Agent({ keepAlive: true, scheduling: "lifo" });

const CLOSED = { kind: "broken", why: "it closed the connection" } as const;

/** Never rejects. */
export function exchange(agent: Agent, place: Place, asked: Asked): Promise<Ended> {
  return new Promise((resolve) => {
    const { method, body, signal } = asked;
    if (signal.aborted) return resolve({ kind: "aborted" });
    const sent = request(place.url, { method, agent, headers: headersOf(place, asked) });
    const timer = setTimeout(() => {
      if (sent.socket?.connecting) sent.destroy(new Error(`it accepts no connection`));
    }, CONNECT_BOUND);
    const settle = (ended: Ended) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(ended);
    };
    const abort = () => {
      settle({ kind: "aborted" });
      sent.destroy();
    };
    signal.addEventListener("abort", abort, { once: true });
    let isAnswered = false;
    sent.on("error", (error) => {
      if (!isAnswered) settle(failure(error));
    });
    sent.once("close", () => {
      if (!isAnswered) settle(CLOSED);
    });
    sent.once("response", (response) => {
      isAnswered = true;
      read(response, asked).then(settle, (error: Error) => {
        sent.destroy();
        settle({ kind: "broken", why: error.message });
      });
    });
    sent.end(body);
  });
}

function headersOf({ token }: Place, { headers, body, method }: Asked): Record<string, string> {
  const accept = method === "GET" ? "text/event-stream" : "application/json, text/event-stream";
  return {
    Accept: accept,
    ...(body === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": `${Buffer.byteLength(body)}` }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...headers,
  };
}

function failure(error: NodeJS.ErrnoException): Ended {
  if (isCode(error, "ECONNREFUSED")) return { kind: "unreachable", why: "it refuses connections" };
  if (isCode(error, "ECONNRESET", "EPIPE")) return CLOSED;
  if (error.syscall === "connect" || error.syscall === "getaddrinfo")
    return { kind: "unreachable", why: error.message };
  return { kind: "broken", why: error.message };
}

async function read(response: IncomingMessage, asked: Asked): Promise<Ended> {
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299)
    return { kind: "refused", status, body: await textOf(response, LONGEST_REFUSAL, true) };
  asked.opened?.(response.headers);
  const type = response.headers["content-type"] ?? "";
  if (/^text\/event-stream\b/i.test(type)) return readEvents(response, asked);
  const text = await textOf(response, LONGEST_DOCUMENT, false);
  if (/^application\/json\b/i.test(type) && text.trim() !== "") await asked.message(text);
  return { kind: "over" };
}

async function readEvents(response: IncomingMessage, asked: Asked): Promise<Ended> {
  const events = new ServerEvents();
  const stand = () => ({ lastId: events.lastId, retry: events.retry });
  let waiting = 0;
  try {
    for await (const piece of response) {
      const found = events.take(piece);
      waiting = found.length > 0 ? 0 : waiting + piece.length;
      if (waiting > LONGEST_DOCUMENT) throw new TooLong();
      for (const { type, data } of found) if (type === "message") await asked.message(data);
    }
  } catch (error) {
    if (error instanceof TooLong) return { kind: "broken", why: TOO_LONG };
    return { ...CLOSED, ...stand() };
  }
  return { kind: "over", ...stand() };
}

/** `cut`: what is longer is left out; else it is an error. */
async function textOf(response: IncomingMessage, bound: number, cut: boolean): Promise<string> {
  const decoder = new StringDecoder("utf8");
  let text = "";
  try {
    for await (const piece of response) {
      if (text.length > bound && !cut) throw new TooLong();
      if (text.length <= bound) text += decoder.write(piece);
    }
  } catch (error) {
    if (error instanceof TooLong) throw new Error(TOO_LONG);
    if (!cut) throw new Error("it closed the connection");
  }
  return text;
}

class TooLong extends Error {}
const TOO_LONG = `its answer is longer than ${LONGEST_DOCUMENT >> 20} MiB`;
