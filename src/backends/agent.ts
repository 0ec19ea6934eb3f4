import type { Diagnostic } from "../model/diagnostic.ts";
import type { Observed } from "../model/observed.ts";
import type { Change } from "../model/plan.ts";
import type { RpcClient } from "../rpc/client.ts";
import { recordedNames } from "../system/projects.ts";
import { reachAgent } from "./agent-process.ts";
import type { Backend, PerformOptions, PerformResult } from "./backend.ts";

/** xy's own agent as a backend. One connection serves the whole life of the object; close it after use. */
export class AgentBackend implements Backend {
  readonly kind = "agent";
  readonly #state: string;
  #client: Promise<RpcClient> | undefined;

  constructor(state: string) {
    this.#state = state;
  }

  /** The agent is what specs were made for: there is nothing that it cannot express. */
  check(): readonly Diagnostic[] {
    return [];
  }

  async observe(project: string): Promise<readonly Observed[]> {
    if (recordedNames(this.#state, project).length === 0) return [];
    const client = await this.#connect();
    return (await client.call("observe", { project })) as Observed[];
  }

  async perform(change: Change, options: PerformOptions): Promise<PerformResult> {
    if (change.action === "none") return { ok: true, detail: "unchanged" };
    const client = await this.#connect();
    const { desired, observed, server, action } = change;
    const project = desired?.project ?? observed?.project;
    if (project === undefined) throw new Error(`change of ${server} names no project`);
    const call = client.call("apply", {
      project,
      server,
      action,
      wait_ms: options.waitMs,
      secrets: options.secrets,
      ...(desired ? { spec: desired } : {}),
    });
    const result = await unlessAborted(call, options.signal);
    if (result === undefined) return { ok: false, message: "interrupted; the server goes on", lastLines: [] };
    return result.ok ? result : { ok: false, message: result.message, lastLines: result.last_lines };
  }

  async close(): Promise<void> {
    (await this.#client?.catch(() => undefined))?.close();
  }

  #connect(): Promise<RpcClient> {
    this.#client ??= reachAgent(this.#state);
    return this.#client;
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
