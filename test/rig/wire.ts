import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";

// biome-ignore lint/suspicious/noExplicitAny: whatever came over the wire, to be compared with what should have come.
type Frame = any;

/** A connection to the agent without the client: whatever bytes the test sends, and the frames that come back. */
export class Wire {
  readonly frames: Frame[] = [];
  /** Settles when the other side has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #changed = new EventEmitter();
  #rest = "";
  #taken = 0;
  #over = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#over = true;
        this.#changed.emit("change");
        resolve();
      });
    });
  }

  static async open(path: string): Promise<Wire> {
    const socket = connect({ path });
    await once(socket, "connect");
    return new Wire(socket);
  }

  send(bytes: string | Uint8Array): this {
    this.#socket.write(bytes);
    return this;
  }

  /** Sends a request. */
  ask(id: unknown, method: string, params?: object): this {
    return this.send(`${JSON.stringify({ jsonrpc: "2.0", id, method, ...(params ? { params } : {}) })}\n`);
  }

  /** The next frame; undefined when the connection ends first. */
  async next(): Promise<Frame> {
    while (this.frames.length === this.#taken && !this.#over) await once(this.#changed, "change");
    return this.frames[this.#taken++];
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const frames = (this.#rest + text).split("\n");
    this.#rest = frames.pop() ?? "";
    for (const frame of frames) this.frames.push(JSON.parse(frame));
    this.#changed.emit("change");
  }
}
