import type { Machine } from "../model/machine.ts";
import { probeOfWord } from "../model/probe-input.ts";
import type { Probe, ServerSpec } from "../model/spec.ts";
import { parseDuration, parseSize } from "../model/units.ts";
import type { DeclaredServer } from "./declared.ts";

type Input = DeclaredServer["input"];
type ProbeInput = NonNullable<Input["readiness" | "liveness"]>;

/** What was found out about a server on this machine. */
export interface Facts
  extends Pick<ServerSpec, "name" | "project" | "port" | "program" | "env" | "workingDir"> {
  readonly os: Machine["os"];
  readonly class: "user" | "system";
  /** With every template filled in. */
  readonly args: readonly string[];
  /** Of the probes that run a program: where it was found, and its arguments with every template filled in. */
  readonly probes: { readonly [Name in "readiness" | "liveness"]?: ProbeCommand };
}

type ProbeCommand = Pick<Extract<Probe, { type: "command" }>, "program" | "args">;

/** Puts the spec together: units as numbers, and the defaults that depend on other fields. */
export function specOf(input: Input, facts: Facts): ServerSpec {
  const { restart, stop, logs } = input;
  const { name, project, port, program, env, workingDir } = facts;
  const mcp =
    input.mcp === undefined ? null : input.mcp === true ? { path: "/mcp" } : { path: input.mcp.path };
  const look = port === null ? "none" : "tcp";
  return {
    name,
    project,
    backend: input.backend,
    ...(facts.class === "system" ? { class: "system" as const } : {}),
    command: input.command,
    program,
    args: [
      ...facts.args,
      ...(input.portFlag !== undefined && port !== null ? [input.portFlag, String(port)] : []),
    ],
    port,
    host: input.host,
    mcp,
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
    readiness: probeOf(input.readiness, mcp ? "mcp" : look, { port, mcp }, facts.probes.readiness),
    liveness: probeOf(input.liveness, look, { port, mcp }, facts.probes.liveness),
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

function probeOf(
  input: ProbeInput | undefined,
  byDefault: "mcp" | "tcp" | "none",
  { port, mcp }: Pick<ServerSpec, "port" | "mcp">,
  command: ProbeCommand | undefined,
): Probe {
  const written = input ?? byDefault;
  const probe = typeof written === "string" ? probeOfWord(written) : written;
  if (probe.type === "none") return { type: "none" };
  const timing = {
    interval: milliseconds(probe.interval),
    timeout: milliseconds(probe.timeout),
    startPeriod: milliseconds(probe.startPeriod),
    failureThreshold: probe.failureThreshold,
    successThreshold: probe.successThreshold,
  };
  if (probe.type === "log") return { type: "log", pattern: probe.pattern, ...timing };
  if (probe.type === "command") {
    return {
      type: "command",
      command: probe.command,
      program: probe.command,
      args: probe.args,
      ...command,
      ...timing,
    };
  }
  const at = { port: probe.port ?? port ?? 0 };
  switch (probe.type) {
    case "tcp":
      return { type: "tcp", ...at, ...timing };
    case "http":
      return { type: "http", ...at, path: probe.path, status: [probe.status ?? []].flat(), ...timing };
    case "mcp":
      return { type: "mcp", ...at, path: probe.path ?? mcp?.path ?? "/mcp", ...timing };
  }
}

/** The schema has checked the form. */
const milliseconds = (text: string): number => parseDuration(text) ?? 0;
