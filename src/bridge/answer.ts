import type { ServerResponse } from "node:http";

/** Until an answer that is not there is begun as a stream, ms: a client may give up on silence. */
const STREAM_AFTER = 1000;
/** Between two signs of life on a stream, ms. Node's fetch gives up after five minutes, proxies earlier. */
const SIGN_GAP = 15_000;
/** Most that may wait for a client to read it, bytes: a client that does not read loses its stream. */
const MOST_WAITING = 8 * 1024 * 1024;

/** A stream of server-sent events to one client. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #sign: NodeJS.Timeout;
  #isOver = false;

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#response = response;
    response.writeHead(200, {
      ...headers,
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache, no-transform",
      "X-Accel-Buffering": "no",
    });
    response.flushHeaders();
    this.#sign = setInterval(() => this.#write(": \n\n"), SIGN_GAP);
    response.once("close", () => this.#stop());
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** False: the client gets no more here. */
  send(message: string): boolean {
    return this.#write(`event: message\ndata: ${message}\n\n`);
  }

  end(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#response.end();
  }

  #write(text: string): boolean {
    if (this.#isOver) return false;
    if (this.#response.writableLength > MOST_WAITING) {
      this.#stop();
      this.#response.destroy();
      return false;
    }
    this.#response.write(text);
    return true;
  }

  #stop(): void {
    this.#isOver = true;
    clearInterval(this.#sign);
  }
}

/** What a client gets for one message that it sent: a document, or a stream when it takes long or more belongs to it. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #takes: { readonly json: boolean; readonly events: boolean };
  #stream: EventStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(response: ServerResponse, accept: string, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    this.#headers = headers;
    const events = accept.includes("text/event-stream");
    // One that names neither takes what it gets.
    this.#takes = { events, json: !events || /\*\/\*|application\/(json|\*)/.test(accept) };
    response.once("close", () => this.#stop());
  }

  /** The answer may take a while. `after`: until it is begun as a stream, ms; a status is of use until then. */
  begin(after = STREAM_AFTER): void {
    clearTimeout(this.#timer);
    if (!this.#takes.json) this.#opened();
    else if (this.#takes.events) this.#timer = setTimeout(() => this.#opened(), after);
  }

  /** What belongs to the request, before its answer. False: it cannot be sent here. */
  tell(message: string): boolean {
    return !this.#isOver && this.#takes.events && (this.#opened()?.send(message) ?? false);
  }

  /** The answer itself. `headers` and `status`: what it gets when it is no stream. */
  end(message: string, headers = this.#headers, status = 200): void {
    if (this.#isOver) return;
    if (this.#stream) this.#stream.send(message);
    this.#finish(message, headers, status);
  }

  /** There will be none: the request was cancelled. */
  close(): void {
    if (!this.#isOver) this.#finish(undefined, this.#headers, 202);
  }

  #finish(message: string | undefined, headers: Readonly<Record<string, string>>, status: number): void {
    const stream = this.#stream;
    this.#stop();
    if (stream) stream.end();
    else if (message === undefined) this.#response.writeHead(status, headers).end();
    else sendJson(this.#response, status, message, headers);
  }

  #opened(): EventStream | undefined {
    clearTimeout(this.#timer);
    if (this.#isOver) return undefined;
    this.#stream ??= new EventStream(this.#response, this.#headers);
    return this.#stream;
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}
