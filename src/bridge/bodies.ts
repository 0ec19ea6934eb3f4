import type { IncomingMessage, ServerResponse } from "node:http";

/** What clients send and are sent, as far as it waits here: none of it may grow without end. */

export interface Bounds {
  /** Longest message of a client, bytes. */
  readonly message: number;
  /** All messages that are being received, or wait for a child, bytes. */
  readonly messages: number;
  /** For the whole of a request to come, ms. */
  readonly request: number;
  /** Answers that are complete, but not read, bytes. */
  readonly unread: number;
}

const MIB = 2 ** 20;
export const BOUNDS: Bounds = { message: 16 * MIB, messages: 64 * MIB, request: 30_000, unread: 64 * MIB };

export type Body =
  /** `done`: it need not be kept any more. */
  | { readonly kind: "whole"; readonly text: string; readonly done: () => void }
  | { readonly kind: "refused"; readonly status: number; readonly why: string }
  /** It did not come whole: nobody waits for an answer. */
  | { readonly kind: "gone" };

/** Receives what clients send. */
export class Bodies {
  readonly #bounds: Bounds;
  #held = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Settles once the message is there, or is known to be too long. */
  read(request: IncomingMessage): Promise<Body> {
    const { message, messages } = this.#bounds;
    const tooLong: Body = {
      ...{ kind: "refused", status: 413 },
      why: `cannot take a message of more than ${message / MIB} MiB`,
    };
    if (Number(request.headers["content-length"] ?? 0) > message) return Promise.resolve(tooLong);
    return new Promise((resolve) => {
      let chunks: Buffer[] = [];
      let length = 0;
      let isOver = false;
      const done = () => {
        this.#held -= length;
        length = 0;
      };
      const end = (body: Body) => {
        if (isOver) return;
        isOver = true;
        chunks = [];
        request.off("data", take).resume();
        if (body.kind !== "whole") done();
        resolve(body);
      };
      const take = (chunk: Buffer) => {
        length += chunk.length;
        this.#held += chunk.length;
        chunks.push(chunk);
        if (length > message) end(tooLong);
        else if (this.#held > messages)
          end({
            kind: "refused",
            status: 503,
            why: "cannot take another message now: too many are on their way",
          });
      };
      request.on("data", take);
      request.once("end", () => end({ kind: "whole", text: Buffer.concat(chunks).toString("utf8"), done }));
      request.once("close", () => end({ kind: "gone" }));
    });
  }
}

/** Answers whose clients have not read them yet. Those that wait longest are given up when there are too many. */
export class Unread {
  readonly #most: number;
  readonly #sizes = new Map<ServerResponse, number>();
  #total = 0;

  constructor(bounds: Bounds) {
    this.#most = bounds.unread;
  }

  watch(response: ServerResponse): void {
    response.once("prefinish", () => this.#add(response));
  }

  #add(response: ServerResponse): void {
    const size = response.writableLength;
    if (size === 0 || response.destroyed) return;
    this.#sizes.set(response, size);
    this.#total += size;
    for (const event of ["finish", "close"] as const) response.once(event, () => this.#remove(response));
    for (const one of [...this.#sizes.keys()]) {
      if (this.#total <= this.#most) return;
      this.#remove(one);
      one.destroy();
    }
  }

  #remove(response: ServerResponse): void {
    this.#total -= this.#sizes.get(response) ?? 0;
    this.#sizes.delete(response);
  }
}
