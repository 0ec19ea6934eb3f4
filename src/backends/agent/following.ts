import * as fs from "node:fs";
import { ConnectionLost, type RpcClient } from "../../rpc/client.ts";
import type { Params } from "../../rpc/contract.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { programPaths } from "../../system/paths.ts";
import { isAgentExpected } from "./find.ts";
import { reachAgent } from "./reach.ts";
import { type Place, Reading } from "./reading.ts";

/** Following output past the death and the upgrade of the agent: each line once, and in order. */

type Line = Notifications["log"];

/** A server or a job whose output is followed. */
export interface Source {
  readonly name: string;
  /**
   * Asks for its output. `place`: where an earlier connection left off, if it got any line. Throws an {@link RpcError} if
   * there is no such source.
   */
  subscribe(client: RpcClient, place: Place | undefined): Promise<{ subscription_id: number }>;
  /** How many lines may come again when it is asked for from there, at most. */
  repeats(place: Place): number;
}

/** What is done with what comes. */
export interface Following<End> {
  line(line: Line, source: Source): void;
  /** There is no more output of it, after so many lines that are missing. */
  ended(source: Source, missed?: number): void;
  transition?(transition: Notifications["transition"]): void;
  /** Called once for each connection, when all sources were asked for. */
  connected?(client: RpcClient): Promise<void>;
  /** Whether it is over: asked when all sources were asked for, and after each notification that is not a line. */
  over(client: RpcClient): Promise<End | undefined>;
  /** The agent died, and its successor is waited for. */
  died(): void;
  /** The agent does not know a part of what it was asked for: it has an earlier version. */
  partUnknown?(): void;
  /** A source that is not there does not matter. Without it, that is an error the first time. */
  readonly mayBeAbsent?: true;
}

/** An agent that was told to end has a successor by then, or has none, ms. */
const HANDOVER_BOUND = 3000;
const LOOK_GAP = 50;

/**
 * Follows the sources until it is over, or `signal` is aborted (`told`), or the agent was stopped on purpose
 * (`no-agent`). Throws an `AgentUnreachable` if an agent that died cannot be brought back.
 */
export async function follow<End>(
  state: string,
  sources: readonly Source[],
  following: Following<End>,
  signal: AbortSignal,
): Promise<End | "told" | "no-agent"> {
  const follower = new Follower(sources, following);
  for (let isFirst = true; ; isFirst = false) {
    const client = isFirst ? await reachAgent(state) : await nextAgent(state);
    if (!client) return "no-agent";
    const end = await follower.attend(client, signal, isFirst).finally(() => client.close());
    if (end !== undefined) return end;
    const isReplaced = fs.existsSync(programPaths(state).next);
    if (isAgentExpected(state) && !isReplaced) following.died();
  }
}

/** The agent after this one: brought back after a crash, awaited for a moment after a planned end. */
async function nextAgent(state: string): Promise<RpcClient | undefined> {
  const until = Date.now() + HANDOVER_BOUND;
  while (Date.now() < until) {
    // An agent that is stopped takes its record away before its connections end: it is not started again here.
    if (isAgentExpected(state)) return reachAgent(state);
    await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
  }
  return undefined;
}

class Follower<End> {
  readonly #following: Following<End>;
  /** Those that have not ended. */
  readonly #open: Map<Source, Reading>;

  constructor(sources: readonly Source[], following: Following<End>) {
    this.#following = following;
    this.#open = new Map(sources.map((source) => [source, new Reading()]));
  }

  /** Undefined: the connection was lost. */
  attend(client: RpcClient, signal: AbortSignal, isFirst: boolean): Promise<End | "told" | undefined> {
    const attended = new AbortController();
    return new Promise<End | "told" | undefined>((resolve, reject) => {
      const fail = (error: unknown) => (error instanceof ConnectionLost ? resolve(undefined) : reject(error));
      let isConnected = false;
      const look = (): void => {
        if (!isConnected) return;
        this.#following.over(client).then((end) => {
          if (end !== undefined) resolve(end);
        }, fail);
      };
      this.#listen(client, look);
      client.onWarning = () => this.#following.partUnknown?.();
      void client.closed.then(() => resolve(undefined));
      const told = () => resolve("told");
      if (signal.aborted) told();
      signal.addEventListener("abort", told, { once: true, signal: attended.signal });
      this.#subscribe(client, isFirst)
        .then(() => this.#following.connected?.(client))
        .then(() => {
          isConnected = true;
          look();
        })
        .catch(fail);
    }).finally(() => {
      attended.abort();
      client.onNotification = () => {};
    });
  }

  /** By the ids of their subscriptions on this connection. */
  readonly #known = new Map<number, Source>();
  /** What is being asked for: its first lines may come with the answer. */
  #asking: Source | undefined;

  async #subscribe(client: RpcClient, isFirst: boolean): Promise<void> {
    for (const [source, reading] of [...this.#open]) {
      this.#asking = source;
      const { place } = reading;
      reading.begin(place ? source.repeats(place) : 0);
      try {
        const { subscription_id } = await source.subscribe(client, place);
        this.#known.set(subscription_id, source);
      } catch (error) {
        if (!(error instanceof RpcError) || (isFirst && !this.#following.mayBeAbsent)) throw error;
        this.#end(source);
      }
    }
    this.#asking = undefined;
  }

  #listen(client: RpcClient, look: () => void): void {
    this.#known.clear();
    client.onNotification = (method, params) => {
      const source = this.#known.get((params as { subscription_id: number }).subscription_id) ?? this.#asking;
      if (source === undefined) return;
      if (method === "log") return this.#line(source, params as Line);
      if (method === "log_end") this.#end(source, (params as Notifications["log_end"]).missed);
      else this.#following.transition?.(params as Notifications["transition"]);
      look();
    };
  }

  #line(source: Source, line: Line): void {
    if (this.#open.get(source)?.isNew(line) !== false) this.#following.line(line, source);
  }

  #end(source: Source, missed?: number): void {
    if (this.#open.delete(source)) this.#following.ended(source, missed);
  }
}

/** Most lines that the agent gives at once. */
export const ALL_LINES = 1_000_000;

/** The output of a server. */
export function serverOutput(query: Params<"logs">): Source {
  return {
    name: query.name,
    subscribe(client, place) {
      const from = place && { tail: ALL_LINES, since_unix_ms: place.at };
      return client.call("logs", { ...query, ...from });
    },
    repeats: ({ lines }) => lines,
  };
}

/** The output of a job, which is read from its beginning each time. */
export function jobOutput(query: Params<"job_logs">): Source {
  return {
    name: `job ${query.id}`,
    subscribe(client, place) {
      const { tail: _, ...whole } = query;
      return client.call("job_logs", place ? whole : query);
    },
    // With a tail, nobody knows how many lines there were before.
    repeats: ({ taken }) => (query.tail === undefined ? taken : Number.POSITIVE_INFINITY),
  };
}
