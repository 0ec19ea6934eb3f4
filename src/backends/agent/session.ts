import type { Observed, StateName } from "../../model/observed.ts";
import type { ProcessId } from "../../model/process.ts";
import { isInactive } from "../../model/states.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { ConnectionLost, type RpcClient } from "../../rpc/client.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { findAgent, isAgentExpected } from "./find.ts";
import { ALL_LINES, type Following, follow, serverOutput } from "./following.ts";
import { reachAgent } from "./reach.ts";

/** What a session (`xy up`) gets from the agent: the output and states of its servers. And how a session ends. */

export type SessionEvent =
  | { readonly type: "line"; readonly line: Notifications["log"] }
  | { readonly type: "state"; readonly name: string; readonly state: StateName; readonly reason?: string }
  | { readonly type: "removed"; readonly name: string }
  /** The agent died; following resumes as soon as it is back. */
  | { readonly type: "lost" };

export interface Followed {
  readonly project: string;
  readonly names: readonly string[];
  /** Unix ms: older lines are skipped. */
  readonly since: number;
  /** Lines as printed, including any secrets. */
  readonly raw?: boolean;
}

/** `rest`: nothing runs any more, or will start by itself. `told`: the signal. `no-agent`: the agent was told to exit. */
export type FollowEnd = "rest" | "told" | "no-agent";

/** Longest wait for the last words of servers that are known to rest, ms. */
const LAST_WORDS_BOUND = 2000;

/** Follows servers and their states past the death of their agent. */
export class SessionFollower {
  readonly #state: string;
  readonly #followed: Followed;
  readonly #tell: (event: SessionEvent) => void;
  readonly #states = new Map<string, StateName>();
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
   * Settles once it has reported that all of these are at rest. Its own connection may lag behind another one's news,
   * so it waits for that, but only briefly.
   */
  async hasToldRest(names: readonly string[]): Promise<void> {
    const rests = () => names.every((name) => isInactive(this.#states.get(name) ?? "stopped"));
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

  /** Throws an `AgentUnreachable` when an agent that died cannot be brought back. */
  async run(signal: AbortSignal): Promise<FollowEnd> {
    const { project, names, since, raw } = this.#followed;
    const query = { follow: true, transitions: true, tail: ALL_LINES, since_unix_ms: since };
    const sources = names.map((name) => serverOutput({ project, name, ...query, ...(raw ? { raw } : {}) }));
    const following: Following<"rest"> = {
      line: (line) => this.#tell({ type: "line", line }),
      ended: ({ name }) => this.#removed(name),
      transition: (transition) => this.#transition(transition),
      connected: (client) => this.#observe(client),
      over: async (client) => (this.#allRest() && (await this.#isOver(client)) ? "rest" : undefined),
      died: () => this.#tell({ type: "lost" }),
      // It could not be applied, or was removed.
      mayBeAbsent: true,
    };
    return follow(this.#state, sources, following, signal);
  }

  /** What has changed while nobody listened. */
  async #observe(client: RpcClient): Promise<void> {
    const { project, names } = this.#followed;
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
  }

  #transition({ name, to, from, reason }: Notifications["transition"]): void {
    this.#states.set(name, to);
    if (from !== to || reason !== undefined)
      this.#tell({ type: "state", name, state: to, ...withoutUndefined({ reason }) });
    this.#onState();
  }

  #removed(name: string): void {
    if (this.#states.delete(name)) this.#tell({ type: "removed", name });
    this.#onState();
  }

  /** Whether all are at rest and none is about to start: a server may have waited for one that just stopped. */
  async #isOver(client: RpcClient): Promise<boolean> {
    const { project, names } = this.#followed;
    const observed = await client.call("observe", { project });
    const isComing = hopeful(observed);
    return observed.every(
      ({ name, state }) => !names.includes(name) || (isInactive(state) && !isComing(name)),
    );
  }

  #allRest(): boolean {
    return [...this.#states.values()].every(isInactive);
  }
}

/** Whether a waiting server may still start by itself: nothing that it needs, directly or not, is at rest. */
function hopeful(observed: readonly Observed[]): (name: string) => boolean {
  const byName = new Map(observed.map((server) => [server.name, server]));
  return (name) => {
    const needed = new Set((byName.get(name)?.waitsFor ?? []).map(({ server }) => server));
    let isMoving = false;
    // The set grows while it is walked: what is added is visited too.
    for (const one of needed) {
      const server = byName.get(one);
      if (!server) continue;
      if (!isInactive(server.state)) isMoving = true;
      else if (!server.waitsFor) return false;
      for (const more of server.waitsFor ?? []) needed.add(more.server);
    }
    return isMoving;
  };
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
