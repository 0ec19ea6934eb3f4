import type { Observed, Verdict } from "../../model/observed.ts";
import type { McpFacts } from "../../model/probe-report.ts";
import { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import type { Look, LookingProbe } from "../../probes/prober.ts";
import { isRunning } from "../../system/processes.ts";
import { pidsOf } from "./family.ts";
import type { Live } from "./manager.ts";
import type { UnitRecord } from "./record.ts";

/** How ready servers are that nobody watches: they are looked at when somebody asks. */

export interface Glance {
  readonly ready: Verdict;
  readonly mcp?: McpFacts;
}

/** One look at a process, as an agent would make it. `dir`: where a probe that runs a program is written down. */
export async function lookAt(
  { spec, secrets }: { readonly spec: ServerSpec; readonly secrets: SecretValues },
  probe: LookingProbe,
  { pid, dir, signal }: { readonly pid: number; readonly dir: string; readonly signal: AbortSignal },
): Promise<Look> {
  const { Prober } = await import("../../probes/prober.ts");
  const look = await new Prober({ members: () => pidsOf(spec, pid), dir }, signal).look(spec, probe, secrets);
  const redactor = new Redactor(secrets, spec.env);
  return {
    ...look,
    evidence: redactor.evidence(look.evidence),
    steps: look.steps.map((step) => ({ ...step, detail: redactor.evidence(step.detail) })),
    ...(look.mcp ? { mcp: redactor.facts(look.mcp) } : {}),
  };
}

/**
 * What can be said at once, without leaving anything behind in the server: who listens, and what HTTP answers. Of an MCP
 * exchange, a command, a line of output it is said what was found when the process was started.
 */
export async function glanceAt(record: UnitRecord, live: Live, dir: string, now: number): Promise<Glance> {
  const { spec } = record;
  const { readiness } = spec;
  const verdict = (status: Verdict["status"], evidence: string, at = now): Glance => ({
    ready: { status, evidence, at },
  });
  if (live.pid === undefined || live.state !== "running") return verdict("unknown", "not running");
  if (readiness.type === "none") return verdict("ok", "its program runs");
  const found = lastLook(record, live.pid);
  const known: Glance = found
    ? {
        ready: { status: found.ok ? "ok" : "failing", evidence: found.evidence, at: found.at },
        ...(found.mcp ? { mcp: found.mcp } : {}),
      }
    : verdict("unknown", `nobody has looked since it was started; \`xy probe ${spec.name}\` does`);
  if (readiness.type === "command" || readiness.type === "log") return known;
  const probe = readiness.type === "mcp" ? ({ ...readiness, type: "tcp" } as const) : readiness;
  try {
    const { signal } = new AbortController();
    const { type: _, path: __, ...timing } = probe as typeof probe & { path?: string };
    const asked = probe.type === "http" ? probe : ({ type: "tcp", ...timing } as LookingProbe);
    const look = await lookAt(record, asked, { pid: live.pid, dir, signal });
    if (!look.ok) return verdict("failing", look.evidence);
    return readiness.type === "mcp" ? known : verdict("ok", look.evidence);
  } catch (error) {
    return verdict("unknown", `it cannot be looked at now: ${String(error)}`);
  }
}

/** The last look at this very process: by whoever started it, or by a person later. */
function lastLook({ ready, looked }: UnitRecord, pid: number) {
  const looks = [...(ready ? [{ ...ready, ok: true }] : []), ...(looked ? [looked] : [])];
  return looks
    .filter(({ process }) => process.pid === pid && isRunning(process))
    .sort((a, b) => b.at - a.at)[0];
}

/** A service manager looks at nothing but the end of a process. */
export function healthOf({ spec }: UnitRecord, live: Live, now: number): Observed["healthy"] {
  const evidence = live.pid === undefined ? "not running" : `${spec.backend} notices only its end`;
  return { status: "unknown", evidence, at: now };
}
