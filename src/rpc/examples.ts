import type { Method, Params, ResultOf } from "./contract.ts";

/** A realistic call, and its answer. */
export interface Example<M extends Method = Method> {
  readonly name: string;
  readonly params: Params<M>;
  readonly result: ResultOf<M>;
}

export const EXAMPLES: { readonly [M in Method]?: readonly Example<M>[] } = {
  list: [
    {
      name: "the servers of a project",
      params: { project: "tools" },
      result: [
        {
          name: "web",
          project: "tools",
          backend: "agent",
          state: "running",
          is_running: true,
          pid: 812,
          port: 8421,
          held: false,
          uptime_secs: 12,
          restart_count: 0,
          ready: true,
          healthy: true,
        },
      ],
    },
  ],
  start: [
    {
      name: "one server",
      params: { name: "web" },
      result: { started: ["web"], already_running: [], failed: [] },
    },
    {
      name: "several, one of which is not there",
      params: { names: ["web", "db"], project: "tools" },
      result: {
        started: ["web"],
        already_running: [],
        failed: [
          {
            name: "db",
            code: -32001,
            message: "cannot find server db in project tools: it was never applied",
          },
        ],
      },
    },
  ],
  logs: [
    {
      name: "the last ten lines, then every new one",
      params: { name: "web", tail: 10, follow: true },
      result: { subscription_id: 1 },
    },
  ],
  apply: [
    {
      name: "remove a server",
      params: { project: "tools", server: "web", action: "remove", wait_ms: 0 },
      result: { ok: true, detail: "removed" },
    },
  ],
};
