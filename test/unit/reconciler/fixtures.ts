import type { ActionSpec } from "../../../src/model/action.ts";
import { startHash } from "../../../src/model/canonical.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { Desired } from "../../../src/model/plan.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { actionOf } from "../../rig/action.ts";

/** The moment at which all these stories are told, unix ms: 2025-11-20 10:00:00 UTC. */
export const NOW = 1_763_632_800_000;
export const MINUTE = 60_000;

const probeTiming = {
  interval: 5000,
  timeout: 2000,
  startPeriod: 30_000,
  failureThreshold: 3,
  successThreshold: 1,
};

/** The environment that everything here has of which nothing is said. */
export const GIVEN = { HOME: "/home/me", PATH: "/usr/bin:/bin" };

/** A server with every default, on port 8421. */
export function spec(name: string, over: Partial<ServerSpec> = {}): ServerSpec {
  return {
    name,
    project: "dots",
    backend: "agent",
    command: "node",
    program: "/usr/bin/node",
    args: ["server.js"],
    port: 8421,
    host: "127.0.0.1",
    mcp: null,
    env: GIVEN,
    workingDir: "/home/me",
    umask: 0o022,
    restart: {
      policy: "on-failure",
      backoffInitial: 1000,
      backoffMax: 30_000,
      maxRetriesPerMinute: 5,
      resetAfter: 10_000,
      successExitCodes: [0],
    },
    stop: { grace: 10_000, signal: "SIGTERM", descendants: "own" },
    readiness: { type: "tcp", port: 8421, ...probeTiming },
    liveness: { type: "tcp", port: 8421, ...probeTiming },
    dependsOn: [],
    logs: { maxSize: 10 * 2 ** 20, keep: 5 },
    wanted: "start",
    limits: { openFiles: 1024 },
    description: "",
    tags: [],
    ...over,
  };
}

/** An action with every default, of a server or (null) standing alone. */
export function action(
  name: string,
  server: string | null = null,
  over: Partial<ActionSpec> = {},
): ActionSpec {
  return actionOf(name, server, {
    project: "dots",
    env: GIVEN,
    workingDir: "/home/me",
    timeout: 3_600_000,
    retries: { max: 0, backoffInitial: 1000, backoffMax: 30_000 },
    ...over,
  });
}

export function desired(...servers: ServerSpec[]): Desired {
  return { project: "dots", root: "/home/me/dots", servers, actions: [] };
}

/** Running and ready for two hours and a bit, as `applied` says. */
export function running(applied: ServerSpec, over: Partial<Observed> = {}): Observed {
  return {
    name: applied.name,
    project: applied.project,
    backend: applied.backend,
    spec: applied,
    runningHash: startHash(applied),
    state: "running",
    operator: null,
    pid: 812,
    startedAt: NOW - 133 * MINUTE,
    restartCount: 0,
    since: NOW - 133 * MINUTE,
    ready: { status: "ok", evidence: "127.0.0.1:8421 is listening", at: NOW - 3000 },
    healthy: { status: "ok", evidence: "127.0.0.1:8421 is listening", at: NOW - 3000 },
    ...over,
  };
}

/** At rest for three minutes: stopped unless `over` says something else. */
export function resting(applied: ServerSpec, over: Partial<Observed> = {}): Observed {
  const { runningHash: _hash, pid: _pid, startedAt: _at, ...rest } = running(applied);
  const unknown = { status: "unknown", evidence: "not running", at: NOW } as const;
  return { ...rest, state: "stopped", since: NOW - 3 * MINUTE, ready: unknown, healthy: unknown, ...over };
}

export function exited(code: number, requested = false): NonNullable<Observed["lastExit"]> {
  return { exit: { kind: "code", code }, at: NOW - 3 * MINUTE, ...(requested ? { requested } : {}) };
}

export function secret(hmac: string, env = "GITHUB_TOKEN"): { secret: { env: string }; hmac: string } {
  return { secret: { env }, hmac };
}
