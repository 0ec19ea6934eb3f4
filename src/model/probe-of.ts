import type { z } from "zod";
import { isUsual, type Owner, probeOfWord, type readinessInput } from "./probe-input.ts";
import { isOwnTarget, probeTarget } from "./probe-url.ts";
import type { Probe } from "./spec-parts.ts";
import { formatDuration, milliseconds } from "./units.ts";

/** What a probe becomes that a person wrote, or did not write, and how it is shown. */

/** Of the server that it is of. */
interface Around {
  readonly port: number | null;
  /** Where it listens; the usual address when left out. */
  readonly host?: string;
  readonly mcp: { readonly path: string } | null;
  /** Whose listener counts where a probe does not say it. */
  readonly owner?: Owner;
}

/** What the usual value of a setting may depend on. */
export interface Described extends Around {
  readonly readiness: Probe;
  readonly liveness: Probe;
}

/** Where the program of a probe was found, and its arguments with every template filled in. */
export type ProbeCommand = Pick<Extract<Probe, { type: "command" }>, "program" | "args">;

type ProbeInput = z.output<typeof readinessInput> | undefined;

/** Ms. */
export const PROBE_TIMING = {
  interval: 5000,
  timeout: 2000,
  startPeriod: 30_000,
  failureThreshold: 3,
  successThreshold: 1,
};
const PROBE_DEFAULTS: Readonly<Record<string, unknown>> = PROBE_TIMING;
export const MCP_TIMEOUT = 10_000;

export function probeOf(
  input: ProbeInput,
  byDefault: "mcp" | "tcp" | "none",
  { port: own, host, mcp, owner }: Around,
  command: ProbeCommand | undefined,
): Probe {
  const written = input ?? byDefault;
  const asked =
    typeof written === "string"
      ? probeOfWord(written)
      : isUsual(written)
        ? probeOfWord(byDefault, written)
        : written;
  if (asked.type === "none") return { type: "none" };
  const timing = {
    interval: milliseconds(asked.interval),
    timeout: milliseconds(asked.timeout),
    startPeriod: milliseconds(asked.startPeriod),
    failureThreshold: asked.failureThreshold,
    successThreshold: asked.successThreshold,
  };
  if (asked.type === "log") return { type: "log", pattern: asked.pattern, ...timing };
  if (asked.type === "command") {
    const { command: program, args } = asked;
    return { type: "command", command: program, program, args, ...command, ...timing };
  }
  const at = {
    port: asked.port ?? own ?? 0,
    // Absent is what every record has of whom nothing is said.
    ...((asked.owner ?? owner) === "any" ? { owner: "any" as const } : {}),
  };
  switch (asked.type) {
    case "tcp":
      return { type: "tcp", ...at, ...timing };
    case "http": {
      const status = [asked.status ?? []].flat();
      const whole = asked.url === undefined ? undefined : probeTarget(asked.url, { ...asked, port: own });
      if (whole === undefined || "fault" in whole)
        return { type: "http", ...at, path: asked.path ?? "/", status, ...timing };
      const { path, port } = whole;
      if (isOwnTarget(whole, { host, port: own })) return { type: "http", ...at, path, status, ...timing };
      return { type: "http", port, host: whole.host, path, status, ...timing };
    }
    case "mcp":
      return { type: "mcp", ...at, path: asked.path ?? mcp?.path ?? "/mcp", ...timing };
  }
}

/** What is looked at when nothing is said: an MCP exchange only for readiness. */
export const usualProbe = (which: "readiness" | "liveness", { port: own, mcp }: Around) =>
  own === null ? "none" : mcp && which === "readiness" ? "mcp" : "tcp";

export function isUsualOfProbe(which: "readiness" | "liveness") {
  return (value: unknown, spec: Described, setting: string): boolean => {
    const { type } = spec[which];
    switch (setting) {
      case "type":
        return value === usualProbe(which, spec);
      case "port":
        return value === spec.port;
      case "path":
        return type === "mcp" && value === spec.mcp?.path;
      case "timeout":
        return value === (type === "mcp" ? MCP_TIMEOUT : PROBE_DEFAULTS.timeout);
      case "status":
      case "args":
        return Array.isArray(value) && value.length === 0;
      default:
        return PROBE_DEFAULTS[setting] === value;
    }
  };
}

export const shownOfProbe = (value: unknown, setting: string) =>
  typeof value === "number" && ["interval", "timeout", "startPeriod"].includes(setting)
    ? formatDuration(value)
    : undefined;
