import type { Change } from "../../src/model/plan.ts";
import type { ServerSpec } from "../../src/model/spec.ts";

export const PROJECT = "p";

/** A server that runs `program`, impatient enough for a test. */
export function serverSpec(
  name: string,
  program: string,
  args: string[],
  over: SpecChanges = {},
): ServerSpec {
  const { restart, stop, logs, ...rest } = over;
  return {
    name,
    project: PROJECT,
    backend: "agent",
    command: program,
    program,
    args,
    port: null,
    host: "127.0.0.1",
    mcp: null,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    workingDir: "/",
    umask: 0o22,
    restart: {
      policy: "on-failure",
      backoffInitial: 10,
      backoffMax: 100,
      maxRetriesPerMinute: 1000,
      resetAfter: 10_000,
      successExitCodes: [0],
      ...restart,
    },
    stop: { grace: 10_000, signal: "SIGTERM", descendants: "own", ...stop },
    readiness: { type: "none" },
    liveness: { type: "none" },
    dependsOn: [],
    logs: { maxSize: 1 << 30, keep: 5, ...logs },
    wanted: "start",
    limits: { openFiles: 1024 },
    description: "",
    tags: [],
    ...rest,
  };
}

export type SpecChanges = Omit<Partial<ServerSpec>, "restart" | "stop" | "logs"> & {
  readonly [K in "restart" | "stop" | "logs"]?: Partial<ServerSpec[K]>;
};

export const shellSpec = (name: string, script: string, over?: SpecChanges) =>
  serverSpec(name, "/bin/sh", ["-c", script], over);

/** Ready as soon as a line of output matches. */
export function readyOn(pattern: string): ServerSpec["readiness"] {
  return { type: "log", pattern, ...PROBE_TIMING };
}

/** Ready as soon as its group listens on the port. */
export function readyOnPort(port: number): ServerSpec["readiness"] {
  return { type: "tcp", port, ...PROBE_TIMING };
}

/** Ready as soon as an MCP exchange succeeds. */
export function readyByMcp(port: number, path = "/mcp"): ServerSpec["readiness"] {
  return { type: "mcp", port, path, ...PROBE_TIMING, timeout: 5000, startPeriod: 0 };
}

const PROBE_TIMING = {
  interval: 200,
  timeout: 2000,
  startPeriod: 30_000,
  failureThreshold: 3,
  successThreshold: 1,
};

/** The change of a plan that asks for this action. */
export function changeOf(spec: ServerSpec, action: Change["action"]): Change {
  const base = { server: spec.name, action, reasons: [], fields: [], held: false, breaksSessions: false };
  return { ...base, desired: spec };
}
