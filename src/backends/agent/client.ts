import type { ProcessId } from "../../model/process.ts";
import { ConnectionLost, RpcClient } from "../../rpc/client.ts";
import type { Method, Params, ResultOf } from "../../rpc/contract.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { pathsOf } from "../../system/paths.ts";
import { identify } from "../../system/processes.ts";
import { AgentUnreachable, answerInTime, findAgent } from "./find.ts";
import { reachAgent } from "./reach.ts";

/**
 * The agent's client for scripts, `xyctl/client`. `scripts/declaration-client.ts` writes its types so that they make sense
 * without zod; a test compares them with these.
 */

export { ConnectionLost } from "../../rpc/client.ts";
export { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
export { AgentUnreachable } from "./find.ts";

export interface Where {
  /** Path of the agent's socket. */
  readonly socket?: string | undefined;
  /** The state folder, whose `agent.json` names the socket. Default: the account's own. */
  readonly stateDir?: string | undefined;
  /** Start the agent if none runs; cannot be combined with `socket`. Default false. */
  readonly start?: boolean | undefined;
  /** Called for each param that the agent ignores. Without it, Node prints a warning. */
  readonly onWarning?: ((warning: string, method: Method) => void) | undefined;
}

/** This process, for the `session` of a call to `apply`: the servers it starts stop when this process is gone. */
export function ownSession(): ProcessId {
  const own = identify(process.pid);
  if (own === undefined) throw new Error("cannot tell when this process was started");
  return own;
}

type Line = Notifications["log"];
interface Missed {
  missed: number;
}
/** Methods whose answer is followed by lines. */
type Subscribing = { [M in Method]: ResultOf<M> extends { subscription_id: number } ? M : never }[Method];
/** `params` may be omitted if all of them are optional. */
type Given<M extends Method> =
  Record<never, never> extends Params<M> ? [params?: Params<M>] : [params: Params<M>];

/** Connects to the running agent, or with `start` starts one. Throws {@link AgentUnreachable}. */
export async function connect({
  socket,
  stateDir,
  start = false,
  onWarning = warn,
}: Where = {}): Promise<Client> {
  if (socket !== undefined && start)
    throw new AgentUnreachable("cannot start an agent by its socket: name its state folder");
  if (socket !== undefined) return new Client(await connectTo(socket), onWarning);
  const state = stateDir ?? pathsOf(process.env).state;
  const rpc = start ? await reachAgent(state) : await findAgent(state);
  if (!rpc)
    throw new AgentUnreachable(`cannot connect: no agent runs for ${state}; \`xy agent start\` starts it`);
  return new Client(rpc, onWarning);
}

type OnWarning = NonNullable<Where["onWarning"]>;
const warn: OnWarning = (warning, method) => process.emitWarning(`${method}: ${warning}`, "XyctlWarning");

async function connectTo(socket: string): Promise<RpcClient> {
  let rpc: RpcClient | undefined;
  try {
    rpc = await RpcClient.connect(socket);
    await answerInTime(rpc);
    return rpc;
  } catch (error) {
    rpc?.close();
    const { message } = error as Error;
    throw new AgentUnreachable(
      `cannot connect: no agent answers at ${socket} (${message}); \`xy agent start\` starts one, and agent.json in its state folder names its socket`,
    );
  }
}

class Client implements AsyncDisposable {
  readonly #rpc: RpcClient;
  readonly #followed = new Set<RpcClient>();
  readonly #onWarning: OnWarning;
  #isClosed = false;

  constructor(rpc: RpcClient, onWarning: OnWarning) {
    this.#rpc = this.#heard(rpc);
    this.#onWarning = onWarning;
  }

  /** Throws `RpcError` if the agent answers with an error, or `ConnectionLost`. */
  async call<M extends Method>(method: M, ...[params]: Given<M>): Promise<ResultOf<M>> {
    this.#refuseWhenClosed();
    return this.#rpc.call(method, params ?? ({} as Params<M>));
  }

  /** The lines of a server's log: see {@link lines}. */
  logs(query: Omit<Params<"logs">, "transitions">): AsyncGenerator<Line, Missed, void> {
    return this.lines("logs", query);
  }

  /**
   * The lines of a subscription, to its end; it returns how many were missed at the end. It has its own connection:
   * leaving the loop ends the subscription, and a slow loop delays no other call.
   */
  async *lines<M extends Subscribing>(method: M, params: Params<M>): AsyncGenerator<Line, Missed, void> {
    this.#refuseWhenClosed();
    const rpc = this.#heard(await connectTo(this.#rpc.path));
    this.#followed.add(rpc);
    try {
      this.#refuseWhenClosed();
      const lines = new Lines(rpc);
      await rpc.call(method, params);
      return yield* lines.all();
    } catch (error) {
      // The caller closed the client: that is not a lost agent.
      if (this.#isClosed && error instanceof ConnectionLost) return { missed: 0 };
      throw error;
    } finally {
      this.#followed.delete(rpc);
      rpc.close();
    }
  }

  /** Closes its connections, which ends loops over logs. */
  close(): void {
    this.#isClosed = true;
    for (const rpc of [this.#rpc, ...this.#followed]) rpc.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#rpc.closed;
  }

  #heard(rpc: RpcClient): RpcClient {
    rpc.onWarning = (method, warning) => this.#onWarning(warning, method);
    return rpc;
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new ConnectionLost("cannot call the agent: this client was closed");
  }
}

/** Lines that wait here for a slow loop. Any more wait in the agent, which drops some if there are too many. */
const MOST_WAITING = 1000;

/** The lines of the one log that a connection follows. */
class Lines {
  readonly #rpc: RpcClient;
  readonly #waiting: Line[] = [];
  #end: Notifications["log_end"] | "lost" | undefined;
  #wake: () => void = () => {};

  constructor(rpc: RpcClient) {
    this.#rpc = rpc;
    rpc.onNotification = (method, params) => {
      if (method === "log") this.#waiting.push(params as Line);
      if (method === "log_end") this.#end = params as Notifications["log_end"];
      if (this.#waiting.length > MOST_WAITING) rpc.pause();
      this.#wake();
    };
    void rpc.closed.then(() => {
      this.#end ??= "lost";
      this.#wake();
    });
  }

  /** Throws `ConnectionLost` if the connection ends before the log does. */
  async *all(): AsyncGenerator<Line, Missed, void> {
    for (;;) {
      for (let line = this.#waiting.shift(); line; line = this.#waiting.shift()) yield line;
      if (this.#end === "lost") throw new ConnectionLost("the agent closed the connection");
      if (this.#end) return { missed: this.#end.missed ?? 0 };
      this.#rpc.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
