import type { Machine } from "../model/machine.ts";
import { PROBE_TIMING } from "../model/probe-input.ts";
import type { Probe, ServerSpec } from "../model/spec.ts";
import { parseDuration, parseSize } from "../model/units.ts";
import type { DeclaredServer } from "./declared.ts";

type Input = DeclaredServer["input"];
type ProbeInput = NonNullable<Input["readiness"]>;

/** What was found out about a server on this machine. */
export interface Facts
  extends Pick<ServerSpec, "name" | "project" | "port" | "program" | "env" | "workingDir"> {
  readonly os: Machine["os"];
  /** With every template filled in. */
  readonly args: readonly string[];
}

/** Puts the spec together: units as numbers, and the defaults that depend on other fields. */
export function specOf(input: Input, facts: Facts): ServerSpec {
  const { restart, stop, logs } = input;
  const { name, project, port, program, env, workingDir } = facts;
  return {
    name,
    project,
    backend: input.backend,
    command: input.command,
    program,
    args: [
      ...facts.args,
      ...(input.portFlag !== undefined && port !== null ? [input.portFlag, String(port)] : []),
    ],
    port,
    host: input.host,
    mcp: input.mcp === undefined ? null : input.mcp === true ? { path: "/mcp" } : { path: input.mcp.path },
    env,
    workingDir,
    umask: Number.parseInt(input.umask, 8),
    restart: {
      policy: restart.policy,
      backoffInitial: milliseconds(restart.backoffInitial),
      backoffMax: milliseconds(restart.backoffMax),
      maxRetriesPerMinute: restart.maxRetriesPerMinute,
      resetAfter: milliseconds(restart.resetAfter),
      successExitCodes: restart.successExitCodes,
    },
    stop: { grace: milliseconds(stop.grace), signal: stop.signal },
    readiness: probeOf(input.readiness, port),
    liveness: probeOf(input.liveness, port),
    dependsOn: input.dependsOn.map((other) =>
      typeof other === "string" ? { server: other, condition: "ready" } : other,
    ),
    logs: { maxSize: parseSize(logs.maxSize) ?? 0, keep: logs.keep },
    wanted: input.wanted,
    limits: { openFiles: input.limits.openFiles ?? (facts.os === "macos" ? 256 : 1024) },
    description: input.description,
    tags: input.tags,
  };
}

function probeOf(input: ProbeInput | undefined, port: number | null): Probe {
  const written = input ?? (port === null ? "none" : "tcp");
  const probe = typeof written === "string" ? { type: written, ...PROBE_TIMING } : written;
  if (probe.type === "none") return { type: "none" };
  const timing = {
    interval: milliseconds(probe.interval),
    timeout: milliseconds(probe.timeout),
    startPeriod: milliseconds(probe.startPeriod),
    failureThreshold: probe.failureThreshold,
    successThreshold: probe.successThreshold,
  };
  if (probe.type === "log") return { type: "log", pattern: probe.pattern, ...timing };
  const own = "port" in probe ? probe.port : undefined;
  return { type: "tcp", port: own ?? port ?? 0, ...timing };
}

/** The schema has checked the form. */
const milliseconds = (text: string): number => parseDuration(text) ?? 0;
