import type { Probe } from "../../../src/model/spec-parts.ts";
import type { SupervisedSpec } from "../../../src/supervisor/machine.ts";

export const TIMING = {
  interval: 5000,
  timeout: 2000,
  startPeriod: 30_000,
  failureThreshold: 3,
  successThreshold: 1,
};
export const NONE: Probe = { type: "none" };
export const LOG: Probe = { type: "log", pattern: "listening", ...TIMING };

export function tcp(timing: Partial<typeof TIMING> = {}, port = 8421) {
  return { type: "tcp", port, ...TIMING, ...timing } as const;
}

export const MCP: Probe = { type: "mcp", port: 8421, path: "/mcp", ...TIMING };

export interface SpecChange {
  readonly restart?: Partial<SupervisedSpec["restart"]>;
  readonly stop?: Partial<SupervisedSpec["stop"]>;
  readonly readiness?: Probe;
  readonly liveness?: Probe;
  readonly startTimeout?: number;
  readonly port?: number;
  readonly mcp?: SupervisedSpec["mcp"];
}

/** A spec with the documented defaults, and no probes unless asked for. */
export function specWith(change: SpecChange = {}): SupervisedSpec {
  return {
    restart: {
      policy: "on-failure",
      backoffInitial: 1000,
      backoffMax: 30_000,
      maxRetriesPerMinute: 5,
      resetAfter: 10_000,
      successExitCodes: [0],
      ...change.restart,
    },
    stop: { grace: 10_000, signal: "SIGTERM", descendants: "own", ...change.stop },
    readiness: change.readiness ?? NONE,
    liveness: change.liveness ?? NONE,
    port: change.port ?? null,
    mcp: change.mcp ?? null,
    ...(change.startTimeout === undefined ? {} : { startTimeout: change.startTimeout }),
  };
}
