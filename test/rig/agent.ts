import { AgentBackend } from "../../src/backends/agent/backend.ts";
import { findAgent } from "../../src/backends/agent/find.ts";
import { reachAgent } from "../../src/backends/agent/reach.ts";
import type { PerformResult } from "../../src/backends/backend.ts";
import type { Observed } from "../../src/model/observed.ts";
import type { Action } from "../../src/model/plan.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { serverSpec } from "../../src/model/spec.ts";
import type { RpcClient } from "../../src/rpc/client.ts";
import type { Method, Params, ResultOf } from "../../src/rpc/contract.ts";
import { readJson } from "../../src/system/files.ts";
import { agentRecordPath } from "../../src/system/paths.ts";
import { eventually } from "./eventually.ts";
import { Follower } from "./follower.ts";
import { changeOf, PROJECT } from "./spec.ts";

/** What came to the wire later is left out there where it is as it always was. */
const withWholeSpec = (server: Observed): Observed =>
  server.spec ? { ...server, spec: serverSpec.parse(server.spec) } : server;

/** The agent of one home, whichever process it is at the moment. */
export class Agent {
  readonly state: string;
  /** How often it has ended as it was told to. */
  plannedEnds = 0;
  #client: RpcClient | undefined;

  constructor(state: string) {
    this.state = state;
  }

  /** The connection that the test uses, opened (and the agent started) when there is none. */
  async client(): Promise<RpcClient> {
    this.#client ??= await this.#connected(reachAgent(this.state));
    return this.#client;
  }

  async call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    return (await this.client()).call(method, params);
  }

  /** A connection beside that of the other calls. */
  connect(): Promise<RpcClient> {
    return reachAgent(this.state);
  }

  /** What the agent wrote down of itself. */
  get record(): { pid: number; socket: string; loop?: { pid: number } } {
    return readJson(agentRecordPath(this.state)) as { pid: number; socket: string; loop?: { pid: number } };
  }

  async observe(project = PROJECT): Promise<readonly Observed[]> {
    const observed = (await this.call("observe", { project })) as Observed[];
    return observed.map(withWholeSpec);
  }

  async observed(name: string): Promise<Observed> {
    const observed = (await this.call("observe", { project: PROJECT })) as Observed[];
    const found = observed.find((server) => server.name === name);
    if (!found) throw new Error(`the agent has no record of ${name}`);
    return withWholeSpec(found);
  }

  /** Carries out one change of a plan. */
  async apply(spec: ServerSpec, action: Action = "add", waitMs = 60_000): Promise<PerformResult> {
    const backend = new AgentBackend(this.state);
    try {
      const { signal } = new AbortController();
      return await backend.perform(changeOf(spec, action), { secrets: {}, waitMs, signal });
    } finally {
      await backend.close();
    }
  }

  /**
   * Adds several at once, and does not wait until they are ready. The agent runs before: if none did, each of them would
   * start one, of which all but one end at once.
   */
  async addAll(specs: readonly ServerSpec[]): Promise<void> {
    await this.client();
    await Promise.all(specs.map((spec) => this.apply(spec, "add", 0)));
  }

  /** Follows a log on a connection of its own. Close it after use. */
  async follow(name: string, params: Omit<Params<"logs">, "name"> = {}): Promise<Follower> {
    return Follower.open(await this.connect(), { tail: 0, follow: true, ...params, name });
  }

  /** Waits until the server has printed some more lines. */
  async hears(name: string, lines: number): Promise<void> {
    const follower = await this.follow(name);
    await follower.until((heard) => heard.lines.length >= lines);
    follower.close();
  }

  /** SIGKILL for the agent's process. Its loop is left alone, and brings it back. Settles when it is dead. */
  async kill(): Promise<void> {
    const client = await this.client();
    const { pid } = await client.call("agent_info", {});
    process.kill(pid, "SIGKILL");
    await client.closed;
  }

  /** Waits until its loop has brought it back; starts nothing. */
  async isBack(): Promise<void> {
    const client = await eventually(async () => {
      const found = await findAgent(this.state);
      if (!found) throw new Error("the agent does not come back");
      return found;
    });
    this.#client = await this.#connected(Promise.resolve(client));
  }

  /** The planned end. */
  async shutdown(keepServers: boolean): Promise<string[]> {
    const client = await this.client();
    const { stopped } = await client.call("agent_shutdown", { keep_servers: keepServers });
    await client.closed;
    this.plannedEnds++;
    return stopped;
  }

  close(): void {
    this.#client?.close();
  }

  async #connected(connecting: Promise<RpcClient>): Promise<RpcClient> {
    const client = await connecting;
    void client.closed.then(() => {
      if (this.#client === client) this.#client = undefined;
    });
    return client;
  }
}
