import { EventEmitter, once } from "node:events";
import type { RpcClient } from "../../src/rpc/client.ts";
import type { Params } from "../../src/rpc/contract.ts";
import type { Notifications } from "../../src/rpc/notifications.ts";

type Line = Notifications["log"];

/** One subscription to the log of a server, and what came through it. It takes its connection for itself. */
export class Follower {
  readonly lines: Line[] = [];
  /** Lines that it was told it missed. */
  missed = 0;
  ended = false;
  id = 0;
  readonly #client: RpcClient;
  readonly #changed = new EventEmitter();

  private constructor(client: RpcClient) {
    this.#client = client;
    client.onNotification = (method, params) => {
      if ("missed" in params) this.missed += params.missed ?? 0;
      if (method === "log") this.lines.push(params as Line);
      else if (method === "log_end") this.ended = true;
      this.#changed.emit("change");
    };
  }

  static async open(client: RpcClient, params: Params<"logs">): Promise<Follower> {
    const follower = new Follower(client);
    const { subscription_id } = await client.call("logs", params);
    follower.id = subscription_id;
    return follower;
  }

  /** Texts of the lines of a stream. */
  texts(stream?: Line["stream"]): string[] {
    return this.lines
      .filter((line) => stream === undefined || line.stream === stream)
      .map(({ line }) => line);
  }

  /** Settles when the condition holds. */
  async until(condition: (follower: Follower) => boolean): Promise<this> {
    while (!condition(this)) await once(this.#changed, "change");
    return this;
  }

  cancel(): Promise<{ cancelled: boolean }> {
    return this.#client.call("logs_cancel", { subscription_id: this.id });
  }

  close(): void {
    this.#client.close();
  }
}
