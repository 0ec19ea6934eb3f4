import { createHash } from "node:crypto";
import type { EnvValue, ServerSpec } from "./spec.ts";
import { wholeSeconds } from "./units.ts";

/** JSON with object keys in code-point order and no spaces: equal values give equal text, in any run and version. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** SHA-256 (hex) of the canonical form. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Identifies a whole spec. */
export function specHash(spec: ServerSpec): string {
  return canonicalHash(spec);
}

/**
 * Identifies what a process gets at its start: two specs with the same hash need no restart between them. A secret
 * counts by its keyed hash, so that the same value found at another place is the same.
 */
export function startHash(spec: ServerSpec): string {
  const parts = [
    spec.program,
    spec.args,
    spec.port,
    spec.host,
    startEnv(spec.env),
    spec.workingDir,
    spec.umask,
  ];
  return canonicalHash([...parts, ...byBackend(spec)]);
}

/** What else a new process is needed for, as far as a unit says it. */
function byBackend({ backend, limits, class: scope, restart, stop, logs }: ServerSpec): unknown[] {
  switch (backend) {
    case "agent":
      return [limits];
    case "systemd":
      return [limits, scope ?? null];
    case "launchd": {
      const wait = restart.policy === "never" ? null : wholeSeconds(restart.backoffInitial, 1);
      return [limits, scope ?? null, restart.policy, wait, wholeSeconds(stop.grace, 1)];
    }
    case "supervisord": {
      const { policy, maxRetriesPerMinute, successExitCodes } = restart;
      const tries = policy === "never" ? null : maxRetriesPerMinute;
      return [policy, tries, successExitCodes, stop.signal, wholeSeconds(stop.grace), logs];
    }
  }
}

function startEnv(env: ServerSpec["env"]): unknown {
  const given = (value: EnvValue) => (isKeyed(value) ? { hmac: value.hmac } : value);
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, given(value)]));
}

/** A reference without a keyed hash was never resolved: only the reference itself can be compared. */
function isKeyed(value: EnvValue): value is Exclude<EnvValue, string> {
  return typeof value !== "string" && value.hmac !== "";
}
