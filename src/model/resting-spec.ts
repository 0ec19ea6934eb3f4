import type { ServerSpec } from "./spec.ts";

/** How a server is treated whose spec is lost: what runs of it runs on, nothing new is started, a stop works. */
export function restingSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  return {
    name,
    project,
    backend,
    command: "",
    program: "",
    args: [],
    port: null,
    host: "127.0.0.1",
    mcp: null,
    env: {},
    workingDir: "/",
    umask: 0o22,
    restart: {
      policy: "never",
      backoffInitial: 1000,
      backoffMax: 30_000,
      maxRetriesPerMinute: 0,
      resetAfter: 10_000,
      successExitCodes: [0],
    },
    stop: { grace: 10_000, signal: "SIGTERM" },
    readiness: { type: "none" },
    liveness: { type: "none" },
    dependsOn: [],
    logs: { maxSize: 10 << 20, keep: 5 },
    wanted: "stop",
    limits: { openFiles: 1024 },
    description: "",
    tags: [],
  };
}
