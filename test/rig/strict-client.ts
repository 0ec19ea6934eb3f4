import { z } from "zod";
import type { RpcClient } from "../../src/rpc/client.ts";
import type { Method } from "../../src/rpc/contract.ts";

/**
 * A client that was made from a few types, in a language whose decoder refuses whatever is of another type than these:
 * an optional field may be absent or null, and what it has no field for it passes over.
 */

const u32 = z.int().min(0).max(0xffff_ffff);
const u16 = z.int().min(0).max(0xffff);
const u64 = z.int().min(0);
const i32 = z.int().min(-0x8000_0000).max(0x7fff_ffff);
const state = z.enum(["stopped", "starting", "running", "restarting", "failed", "stopping"]);
const names = z.array(z.string());

const listed = z.object({
  name: z.string(),
  state,
  pid: u32.nullish(),
  port: u16.nullish(),
  uptime_secs: u64.nullish(),
  restart_count: u32,
  last_exit: i32.nullish(),
});

const RESULTS = {
  list: z.array(listed),
  status: listed.extend({
    recent_transitions: z.array(
      z.object({ from: state, to: state, at_unix_ms: u64, reason: z.string().nullish() }),
    ),
  }),
  start: z.object({ started: names, already_running: names }),
  stop: z.object({ stopped: names, not_running: names }),
  restart: z.object({ restarted: names }),
  reload: z.object({ added: names, removed: names, changed: names, unchanged: names }),
  logs: z.object({ subscription_id: u64 }),
  logs_cancel: z.unknown(),
} as const satisfies Partial<Record<Method, z.ZodType>>;

const NOTIFICATIONS = {
  log: z.object({
    subscription_id: u64,
    name: z.string(),
    stream: z.enum(["stdout", "stderr"]),
    line: z.string(),
    ts_unix_ms: u64,
  }),
  log_end: z.object({ subscription_id: u64 }),
};

type Results = typeof RESULTS;

export class StrictClient {
  readonly #rpc: RpcClient;
  /** What came without being asked for, oldest first. */
  readonly heard: { readonly method: string; readonly params: Record<string, unknown> }[] = [];
  /** What was not of these types. */
  readonly faults: string[] = [];
  /** Every state that was told. */
  readonly states = new Set<string>();
  #changed: () => void = () => {};

  constructor(rpc: RpcClient) {
    this.#rpc = rpc;
    rpc.onNotification = (method, params) => {
      const read = NOTIFICATIONS[method as keyof typeof NOTIFICATIONS]?.safeParse(params);
      if (!read?.success) this.faults.push(`${method} ${JSON.stringify(params)}`);
      else this.heard.push({ method, params: read.data });
      this.#changed();
    };
  }

  /** Throws what the agent answers with, and for a result of other types. It writes null for what it does not say. */
  async call<M extends keyof Results>(method: M, params: object): Promise<z.output<Results[M]>> {
    const answer = await this.#rpc.call(method as Method, params as never);
    const result = RESULTS[method].parse(answer) as z.output<Results[M]>;
    for (const one of [result].flat() as { state?: string }[]) if (one.state) this.states.add(one.state);
    return result;
  }

  /** Settles when that was heard. */
  async hears(isIt: (heard: this["heard"][number]) => boolean): Promise<void> {
    while (!this.heard.some(isIt)) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  close(): void {
    this.#rpc.close();
  }
}
