import type { Observed, StateName } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { ConnectionLost, type RpcClient } from "../rpc/client.ts";
import type { ResultOf } from "../rpc/contract.ts";
import { RpcError } from "../rpc/errors.ts";
import type { Notifications } from "../rpc/notifications.ts";
import { findAgent, isAgentExpected } from "./agent-find.ts";
import { reachAgent } from "./agent-reach.ts";

/** What a session (`xy up`) has of the agent: the output and the states of its servers, and its own end. */

export type SessionEvent =
  | { readonly type: "line"; readonly line: Notifications["log"] }
  | { readonly type: "state"; readonly name: string; readonly state: StateName; readonly reason?: string }
  | { readonly type: "removed"; readonly name: string }
  /** The agent died, and is followed again as soon as it is back. */
  | { readonly type: "lost" };

export interface Followed {
  readonly project: string;
  readonly names: readonly string[];
  /** Unix ms: older lines are left out. */
  readonly since: number;
  /** Lines as they were printed, with whatever secrets they hold. */
  readonly raw?: boolean;
}

/** `rest`: nothing of it runs, and nothing will by itself. `told`: the signal. `no-agent`: it was told to end. */
export type FollowEnd = "rest" | "told" | "no-agent";

/** Most lines that are asked for again after the agent's death. */
const MOST_LINES = 10_000;
/** An agent that was told to end has a successor by then, or has none, ms. */
const HANDOVER_BOUND = 3000;
const LOOK_GAP = 50;
/** Longest wait for the last words of servers that are known to rest, ms. */
const LAST_WORDS_BOUND = 2000;

/** Where one server's output was left off: lines of that very ms are told apart by their number. */
interface Mark {
  readonly at: number;
  readonly lines: number;
}

/** Follows servers over the death of their agent. */
export class SessionFollower {
  readonly #state: string;
  readonly #followed: Followed;
  readonly #tell: (event: SessionEvent) => void;
  readonly #states = new Map<string, StateName>();
  readonly #marks = new Map<string, Mark>();
  /** Lines that were told before the agent died, and come again. */
  readonly #again = new Map<string, Mark>();
  /** Called after each change of {@link states}. */
  #onState: () => void = () => {};

  constructor(state: string, followed: Followed, tell: (event: SessionEvent) => void) {
    this.#state = state;
    this.#followed = followed;
    this.#tell = tell;
  }

  /** State by name, of those that are not removed. */
  get states(): ReadonlyMap<string, StateName> {
    return this.#states;
  }

  /**
   * Settles when it has told that all of these rest. It hears that on a connection of its own, which may be behind what
   * another has said; no longer than a moment, unless it is lost.
   */
  async hasToldRest(names: readonly string[]): Promise<void> {
    const rests = () => names.every((name) => isAtRest(this.#states.get(name) ?? "stopped"));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_WORDS_BOUND);
      this.#onState = () => {
        if (!rests()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onState();
    });
  }

  /** Throws `AgentUnreachable` when an agent that died cannot be brought back. */
  async run(signal: AbortSignal): Promise<FollowEnd> {
    for (let first = true; ; first = false) {
      const client = first ? await reachAgent(this.#state) : await nextAgent(this.#state);
      if (!client) return "no-agent";
      try {
        const end = await this.#attend(client, signal);
        if (end) return end;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      } finally {
        client.close();
      }
      if (isAgentExpected(this.#state)) this.#tell({ type: "lost" });
    }
  }

  /** Undefined: the connection was lost. */
  async #attend(client: RpcClient, signal: AbortSignal): Promise<FollowEnd | undefined> {
    const stop = new AbortController();
    return new Promise<FollowEnd | undefined>((resolve, reject) => {
      const look = async () => {
        if (this.#allRest() && (await this.#isOver(client))) resolve("rest");
      };
      const subscriptions = new Map<number, string>();
      client.onNotification = (method, params) => {
        if (method === "log") this.#line(params as Notifications["log"]);
        if (method === "transition") this.#transition(params as Notifications["transition"]);
        if (method === "log_end")
          this.#removed(subscriptions.get((params as Notifications["log_end"]).subscription_id));
        if (method !== "log" && this.#known) look().catch(reject);
      };
      void client.closed.then(() => resolve(undefined));
      const told = () => resolve("told");
      if (signal.aborted) told();
      signal.addEventListener("abort", told, { once: true, signal: stop.signal });
      this.#subscribe(client, subscriptions).then(look).catch(reject);
    }).finally(() => stop.abort());
  }

  /** The states of all are known: before that nobody can say that all rest. */
  #known = false;

  async #subscribe(client: RpcClient, subscriptions: Map<number, string>): Promise<void> {
    const { project, names, since, raw } = this.#followed;
    for (const name of names) {
      const mark = this.#marks.get(name);
      if (mark) this.#again.set(name, mark);
      const from = mark?.at ?? since;
      const query = {
        follow: true,
        transitions: true,
        tail: MOST_LINES,
        since_unix_ms: from,
        ...(raw ? { raw } : {}),
      };
      try {
        const { subscription_id } = await client.call("logs", { project, name, ...query });
        subscriptions.set(subscription_id, name);
      } catch (error) {
        // Not recorded: it could not be applied, or was removed.
        if (!(error instanceof RpcError)) throw error;
      }
    }
    const observed = await client.call("observe", { project });
    for (const { name, state, reason } of observed) {
      const before = this.#states.get(name);
      if (!names.includes(name) || before === state) continue;
      this.#states.set(name, state);
      if (before) this.#tell({ type: "state", name, state, ...withoutUndefined({ reason }) });
    }
    for (const name of names) {
      if (!observed.some((server) => server.name === name)) this.#removed(name);
    }
    this.#known = true;
  }

  #line(line: Notifications["log"]): void {
    const { name, ts_unix_ms: at } = line;
    const told = this.#again.get(name);
    if (told?.at === at && told.lines > 0) {
      this.#again.set(name, { at, lines: told.lines - 1 });
      return;
    }
    const mark = this.#marks.get(name);
    this.#marks.set(name, { at, lines: mark?.at === at ? mark.lines + 1 : 1 });
    this.#tell({ type: "line", line });
  }

  #transition({ name, to, from, reason }: Notifications["transition"]): void {
    this.#states.set(name, to);
    if (from !== to || reason !== undefined)
      this.#tell({ type: "state", name, state: to, ...withoutUndefined({ reason }) });
    this.#onState();
  }

  #removed(name: string | undefined): void {
    if (name !== undefined && this.#states.delete(name)) this.#tell({ type: "removed", name });
    this.#onState();
  }

  /** Also nobody is about to start: what one was waiting for may be what came to rest. */
  async #isOver(client: RpcClient): Promise<boolean> {
    const { project, names } = this.#followed;
    const observed = await client.call("observe", { project });
    const isComing = hopeful(observed);
    return observed.every(({ name, state }) => !names.includes(name) || (isAtRest(state) && !isComing(name)));
  }

  #allRest(): boolean {
    return [...this.#states.values()].every(isAtRest);
  }
}

const isAtRest = (state: StateName) => state === "stopped" || state === "failed";

/** Whether a server waits for a start that may come about by itself: nothing that it needs, in turn, rests. */
function hopeful(observed: readonly Observed[]): (name: string) => boolean {
  const byName = new Map(observed.map((server) => [server.name, server]));
  return (name) => {
    const needed = new Set((byName.get(name)?.waitsFor ?? []).map(({ server }) => server));
    let isMoving = false;
    // A set that grows while it is walked: whatever is added is visited too.
    for (const one of needed) {
      const server = byName.get(one);
      if (!server) continue;
      if (!isAtRest(server.state)) isMoving = true;
      else if (!server.waitsFor) return false;
      for (const more of server.waitsFor ?? []) needed.add(more.server);
    }
    return isMoving;
  };
}

/** The agent after this one: brought back after a crash, awaited for a moment after a planned end. */
export async function nextAgent(state: string): Promise<RpcClient | undefined> {
  const until = Date.now() + HANDOVER_BOUND;
  while (Date.now() < until) {
    if (isAgentExpected(state)) return reachAgent(state);
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
  }
  return undefined;
}

/** Stops what the session has started and still owns. Undefined when no agent runs, which stops it at its start. */
export async function endSession(
  state: string,
  session: ProcessId,
): Promise<ResultOf<"session_end"> | undefined> {
  for (;;) {
    const client = isAgentExpected(state) ? await reachAgent(state) : await findAgent(state);
    if (!client) return undefined;
    try {
      return await client.call("session_end", { session });
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    } finally {
      client.close();
    }
  }
}
