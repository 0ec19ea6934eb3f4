import { connect, type Socket } from "node:net";
import type { Method, Params, ResultOf } from "./contract.ts";
import { RpcError } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./framing.ts";
import type { Notifications } from "./notifications.ts";

type NotificationHandler = <N extends keyof Notifications>(method: N, params: Notifications[N]) => void;

interface Waiting {
  readonly method: Method;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Longest frame from the agent, bytes: it is trusted, and a thousand servers make a long answer. */
const LONGEST_ANSWER = 256 * 1024 * 1024;

/** The other side closed the connection. */
export class ConnectionLost extends Error {}

/** One connection to the agent. Calls may overlap; answers are matched by id. */
export class RpcClient {
  /** Path of the socket that it is connected to. */
  readonly path: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #decoder = new FrameDecoder(LONGEST_ANSWER);
  #nextId = 1;
  onNotification: NotificationHandler = () => {};
  /** Gets a sentence about each thing that the agent ignored. */
  onWarning: (method: Method, warning: string) => void = () => {};
  /** Settles when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;

  private constructor(path: string, socket: Socket) {
    this.path = path;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // The close that follows an error brings its reason.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        for (const { reject } of this.#waiting.values())
          reject(new ConnectionLost("the agent closed the connection"));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Throws the system's error (ENOENT, ECONNREFUSED, EACCES, …) when nobody listens there. */
  static connect(path: string): Promise<RpcClient> {
    return new Promise((resolve, reject) => {
      // A Unix socket answers a connect at once, or refuses it: there is nothing to time.
      const socket = connect({ path });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        resolve(new RpcClient(path, socket));
      });
    });
  }

  /** Throws an {@link RpcError} that the agent answered with, or {@link ConnectionLost}. */
  call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    const id = this.#nextId++;
    return new Promise<unknown>((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new ConnectionLost("the agent closed the connection"));
      this.#waiting.set(id, { method, resolve, reject });
      this.#socket.write(encodeFrame({ jsonrpc: "2.0", id, method, params }));
    }) as Promise<ResultOf<M>>;
  }

  /** Stops reading from the agent, which then holds its output back, until reading resumes. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let frames: string[];
    try {
      frames = this.#decoder.take(chunk);
    } catch {
      this.#socket.destroy();
      return;
    }
    for (const frame of frames) {
      const message = JSON.parse(frame);
      if (message.method) this.onNotification(message.method, message.params);
      else this.#settle(message);
    }
  }

  #settle(message: {
    id: number;
    result?: unknown;
    warnings?: readonly string[];
    error?: { code: number; message: string; data?: unknown };
  }): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting) for (const warning of message.warnings ?? []) this.onWarning(waiting.method, warning);
    if (message.error)
      waiting?.reject(new RpcError(message.error.code, message.error.message, message.error.data));
    else waiting?.resolve(message.result);
  }
}
