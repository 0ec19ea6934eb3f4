import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isCode } from "../system/files.ts";
import { speaksTls } from "./tls.ts";
import { told } from "./untrusted.ts";

/** When all work of a probe ends, however far it got. */
export interface Deadline {
  /** By the clock of `performance.now()`. */
  readonly at: number;
  /** How much time there was in total, ms. */
  readonly ms: number;
}

export function deadlineIn(ms: number): Deadline {
  return { at: performance.now() + ms, ms };
}

/** One request. No redirects, no keep-alive, no compression. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE" | "OPTIONS";
  /** Where to connect: not necessarily what `host` names. */
  readonly address: string;
  readonly port: number;
  /** The `Host` header: a server may refuse any name but its own. */
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly deadline: Deadline;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

export interface ResponseHead {
  readonly status: number;
  /** The server's text for its status, as one harmless line; often empty. */
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
}

/** Takes the body piece by piece; returns true once it has read enough. */
export type BodyReader = (piece: Buffer) => boolean;

export interface HttpExchange {
  readonly head?: ResponseHead;
  /** Why the exchange did not complete, to follow the server's name: "refuses connections". */
  readonly refusal?: string;
  /** Its time was up. */
  readonly isLate?: true;
}

/** Longest body, bytes: anything longer is not an answer to a probe. */
const LONGEST_BODY = 4 << 20;
const LONGEST_HEAD = 16 << 10;

type Opener = (head: ResponseHead) => BodyReader | undefined;

/**
 * One exchange over its own connection, which is closed when this settles. `open` is called with the head of the answer,
 * and returns what reads the body, or undefined if the head is enough. Never rejects.
 */
export async function exchange(asked: HttpRequest, open: Opener = () => undefined): Promise<HttpExchange> {
  const done = await exchangeOnce(asked, open);
  if (done.refusal !== NO_ANSWER || asked.signal?.aborted) return done;
  // OpenSSL recognises plain HTTP and sends no alert, so try TLS itself.
  return (await speaksTls(asked)) ? { ...done, refusal: TLS } : done;
}

function exchangeOnce(asked: HttpRequest, open: Opener): Promise<HttpExchange> {
  const left = asked.deadline.at - performance.now();
  // Send nothing if there is no time for an answer: it might open a session.
  if (left <= 0)
    return Promise.resolve({ refusal: `left no time within ${asked.deadline.ms} ms`, isLate: true });
  return new Promise((resolve) => {
    let head: ResponseHead | undefined;
    let sent: ClientRequest | undefined;
    const settle = (refusal?: string, isLate?: true) => {
      clearTimeout(timer);
      asked.signal?.removeEventListener("abort", interrupted);
      sent?.destroy();
      resolve({
        ...(head && { head }),
        ...withoutUndefined({ refusal }),
        ...(isLate && { isLate }),
      });
    };
    const interrupted = () => settle("was interrupted");
    const timer = setTimeout(() => settle(lateness(sent, head, asked.deadline), true), left);
    if (asked.signal?.aborted) return interrupted();
    asked.signal?.addEventListener("abort", interrupted, { once: true });
    try {
      sent = send(asked);
    } catch (error) {
      // Characters that are not allowed in a path or a header.
      settle(`cannot be asked: ${told((error as Error).message)}`);
      return;
    }
    // Stays until the end: a socket that is destroyed while connecting emits an error of its own.
    sent.on("error", (error) => settle(head ? BROKEN_OFF : reasonOf(error)));
    sent.once("close", () => settle(head ? BROKEN_OFF : NO_ANSWER));
    sent.once("upgrade", () => settle("answered with a protocol other than HTTP"));
    sent.once("response", (response) => {
      head = headOf(response);
      const reader = open(head);
      if (reader === undefined) return settle();
      readBody(response, reader, settle);
    });
  });
}

const NO_ANSWER = "closed the connection without an answer";
/** With what to do: this is the only evidence, and the server itself may be fine. */
export const TLS =
  'speaks TLS, and xy asks over plain HTTP only: use the check "tcp", or a "command" that asks over https';
const BROKEN_OFF = "cut off its answer";

function send({ method, address, port, host, path, headers, body }: HttpRequest): ClientRequest {
  const sent = request({
    method,
    host: address,
    port,
    path,
    agent: false,
    setHost: false,
    headers: { Host: host, "Accept-Encoding": "identity", ...headers },
    maxHeaderSize: LONGEST_HEAD,
  });
  sent.end(body);
  return sent;
}

function headOf(response: IncomingMessage): ResponseHead {
  return {
    status: response.statusCode ?? 0,
    reason: told(response.statusMessage ?? "", 40),
    headers: response.headers,
  };
}

function readBody(response: IncomingMessage, reader: BodyReader, settle: (refusal?: string) => void): void {
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (reader(piece)) return settle();
    if (bytes > LONGEST_BODY) settle(`sent more than ${LONGEST_BODY >> 20} MiB`);
  });
  response.once("end", () => settle());
  response.on("error", () => settle(BROKEN_OFF));
}

function lateness(sent: ClientRequest | undefined, head: ResponseHead | undefined, { ms }: Deadline): string {
  if (head !== undefined) return `did not end its answer within ${ms} ms`;
  if (sent?.socket?.connecting === true) return `did not accept a connection within ${ms} ms`;
  return `gave no answer within ${ms} ms`;
}

function reasonOf(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): string {
  if (isCode(error, "ECONNREFUSED")) return "refuses connections";
  if (isCode(error, "ECONNRESET", "EPIPE")) return NO_ANSWER;
  if (isCode(error, "HPE_HEADER_OVERFLOW")) return `sent headers of more than ${LONGEST_HEAD >> 10} KiB`;
  if (error.rawPacket !== undefined) return notHttp(error.rawPacket);
  return told(error.message);
}

/** What answers instead of HTTP: a TLS alert or greeting, or anything else. */
function notHttp(packet: Buffer): string {
  const [kind, major] = packet;
  if ((kind === 0x15 || kind === 0x16) && major === 0x03) return TLS;
  const start = told(packet.toString("utf8", 0, 200), 40).replace(/[^\x20-\x7e…]/g, "?");
  if (start.startsWith("HTTP/")) return "answered with broken HTTP";
  return start === "" ? "does not speak HTTP" : `does not speak HTTP: it says "${start}"`;
}
