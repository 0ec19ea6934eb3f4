import { setMaxListeners } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { contract, type Method, type ParsedParams, type ResultOf } from "../../rpc/contract.ts";
import { CANNOT_CALL, RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { encodeFrame, FrameDecoder } from "../../rpc/framing.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { readParams } from "../../rpc/params.ts";
import { failureText } from "../../system/shortage.ts";

/** What a method handler may use of the connection that calls it. */
export interface Caller {
  /** Sends a notification; returns the bytes that wait to be taken by the reader. */
  notify<N extends keyof Notifications>(method: N, params: Notifications[N]): number;
  /** The same for notifications that are encoded already: any number of whole frames. */
  send(frames: string): number;
  /** Calls back once the reader has taken everything that waited. */
  onDrain(callback: () => void): void;
  /** Aborted when the connection ends. */
  readonly gone: AbortSignal;
  /** Runs after the answer to this call was sent. */
  afterAnswer(callback: () => void): void;
}

export type Handlers = {
  readonly [M in Method]: (params: ParsedParams<M>, caller: Caller) => Promise<ResultOf<M>>;
};

/** Most calls of one connection that run at once: one connection must not crowd out the others. */
const MOST_CALLS = 1024;
/** Most calls that one connection begins, and how long it may take for that, ms, before all others get their turn. */
const SLICE = 32;
const SLICE_MS = 5;
/** Bytes that may wait to be read by a connection that asks for more. Less than this is what a follower of logs leaves. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** Bytes that may wait for a reader before it gets no more answers. */
const LONGEST_BACKLOG = 64 * 1024 * 1024;

/** Serves the contract. Calls of a connection run concurrently; a bad frame harms its own connection only. */
export function createRpcServer(handlers: Handlers): Server {
  return createServer((socket) => new Connection(socket, handlers));
}

class Connection {
  readonly #socket: Socket;
  readonly #handlers: Handlers;
  readonly #decoder = new FrameDecoder();
  readonly #gone = new AbortController();
  #calls = 0;
  /** Calls that have come, and how many of them have begun: the others wait, and nothing is read meanwhile. */
  #frames: string[] = [];
  #begun = 0;

  constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => socket.destroy());
    // Each log that it follows, and each wait, ends with it.
    setMaxListeners(0, this.#gone.signal);
    socket.once("close", () => {
      this.#frames = [];
      this.#begun = 0;
      this.#gone.abort();
    });
  }

  #take(chunk: Buffer): void {
    try {
      const isIdle = this.#frames.length === 0;
      this.#frames = [...this.#frames, ...this.#decoder.take(chunk)];
      if (isIdle) this.#work();
    } catch (error) {
      this.#send({
        jsonrpc: "2.0",
        id: null,
        error: { code: RPC_ERRORS.invalidRequest, message: String(error) },
      });
      this.#socket.destroySoon();
    }
  }

  /** Begins some of the calls that have come. What is left waits until everybody else, and the reader, had a turn. */
  #work(): void {
    const until = performance.now() + SLICE_MS;
    for (let n = 0; n < SLICE && this.#begun < this.#frames.length; n++) {
      if (this.#socket.writableLength > MOST_UNREAD) {
        this.#socket.pause();
        this.#socket.once("drain", () => this.#work());
        return;
      }
      void this.#answer(this.#frames[this.#begun++] as string);
      if (performance.now() > until) break;
    }
    if (this.#begun < this.#frames.length) {
      this.#socket.pause();
      setImmediate(() => this.#work());
      return;
    }
    this.#frames = [];
    this.#begun = 0;
    this.#socket.resume();
  }

  async #answer(frame: string): Promise<void> {
    const after: (() => void)[] = [];
    let id: unknown = null;
    try {
      const request = parseRequest(frame);
      id = request.id;
      if (this.#calls >= MOST_CALLS) throw new RpcError(RPC_ERRORS.invalidRequest, "too many calls at once");
      this.#calls++;
      const outcome = await this.#call(request, after).finally(() => this.#calls--);
      this.#reply(id, outcome);
    } catch (error) {
      this.#reply(id, { error: errorDocument(error) });
    }
    // One of them may end the process: nothing is held back for it.
    if (after.length > 0) this.#socket.uncork();
    for (const callback of after) callback();
  }

  /** A request without id is a notification: JSON-RPC gives it no answer, not even an error. */
  #reply(id: unknown, outcome: Answer | { error: object }): void {
    if (id !== undefined) this.#send({ jsonrpc: "2.0", id, ...outcome });
  }

  async #call(request: Request, after: (() => void)[]): Promise<Answer> {
    const method = request.method as Method;
    if (!Object.hasOwn(contract, method)) {
      throw new RpcError(RPC_ERRORS.methodNotFound, `cannot find method ${request.method}`);
    }
    const read = readParams(method, request.params);
    if (!read.ok) throw new RpcError(RPC_ERRORS.invalidParams, `${CANNOT_CALL} ${method}: ${read.message}`);
    const handler = this.#handlers[method] as (params: unknown, caller: Caller) => Promise<unknown>;
    const result = await handler(read.params, this.#caller(after));
    return read.warnings.length === 0 ? { result } : { result, warnings: read.warnings };
  }

  #caller(after: (() => void)[]): Caller {
    return {
      notify: (method, params) => {
        this.#send(notification(method, params));
        return this.#socket.writableLength;
      },
      send: (frames) => {
        this.#write(frames);
        return this.#socket.writableLength;
      },
      onDrain: (callback) => void this.#socket.once("drain", callback),
      gone: this.#gone.signal,
      afterAnswer: (callback) => void after.push(callback),
    };
  }

  /** What is sent in one turn goes out in one write: a chunk of output may be a thousand lines. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  #send(document: object): void {
    this.#write(encodeFrame(document));
  }

  #write(frames: string): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > LONGEST_BACKLOG) this.#socket.destroy();
    else {
      this.#gather();
      this.#socket.write(frames);
    }
  }
}

export function notification<N extends keyof Notifications>(method: N, params: Notifications[N]): object {
  return { jsonrpc: "2.0", method, params };
}

/** `warnings` stand beside the result, which is what the method says that it is. */
interface Answer {
  readonly result: unknown;
  readonly warnings?: readonly string[];
}

interface Request {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: unknown;
}

function parseRequest(frame: string): Request {
  let request: unknown;
  try {
    request = JSON.parse(frame);
  } catch {
    throw new RpcError(RPC_ERRORS.parseError, "cannot read the frame: it is not JSON");
  }
  const { id, method, params } = (request ?? {}) as Partial<Request>;
  if (typeof method !== "string") {
    throw new RpcError(RPC_ERRORS.invalidRequest, "cannot read the frame: it is not a JSON-RPC 2.0 request");
  }
  return { id, method, params };
}

function errorDocument(error: unknown): { code: number; message: string; data?: unknown } {
  if (!(error instanceof RpcError)) return { code: RPC_ERRORS.internalError, message: failureText(error) };
  const { code, message, data } = error;
  return data === undefined ? { code, message } : { code, message, data };
}
