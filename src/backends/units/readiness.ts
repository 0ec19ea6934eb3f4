import type { BridgeFacts } from "../../model/bridge-facts.ts";
import { isBridged } from "../../model/launch.ts";
import type { Observed, Verdict } from "../../model/observed.ts";
import type { McpFacts } from "../../model/probe-report.ts";
import { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import type { Look, LookingProbe } from "../../probes/prober.ts";
import { isRunning } from "../../system/processes.ts";
import { pidsOf } from "./family.ts";
import type { Live } from "./manager.ts";
import type { UnitRecord } from "./record.ts";

/** The readiness of servers that no agent watches: they are probed on request. */

export interface Glance {
  readonly ready: Verdict;
  readonly mcp?: McpFacts;
  readonly bridge?: BridgeFacts;
}

/** Probes a process once, as an agent would. `dir`: where a command probe records its process. */
export async function lookAt(
  { spec, secrets }: { readonly spec: ServerSpec; readonly secrets: SecretValues },
  probe: LookingProbe | "bridge",
  { pid, dir, signal }: { readonly pid: number; readonly dir: string; readonly signal: AbortSignal },
): Promise<Look> {
  const { Prober } = await import("../../probes/prober.ts");
  const prober = new Prober({ members: () => pidsOf(spec, pid), dir }, signal);
  const look = await (probe === "bridge"
    ? prober.askBridge(spec, secrets)
    : prober.look(spec, probe, secrets));
  if (look === undefined) throw new Error("it has no bridge");
  const redactor = new Redactor(secrets, spec.env);
  return {
    ...look,
    evidence: redactor.evidence(look.evidence),
    steps: look.steps.map((step) => ({ ...step, detail: redactor.evidence(step.detail) })),
    ...(look.mcp ? { mcp: redactor.facts(look.mcp) } : {}),
    ...(look.bridge ? { bridge: redactor.bridge(look.bridge) } : {}),
  };
}

/**
 * What can be found out at once, without leaving anything behind in the server: who listens, and what HTTP answers. For an
 * MCP exchange, a command or a line of output, this is what was found when the process was started.
 */
export async function glanceAt(record: UnitRecord, live: Live, dir: string, now: number): Promise<Glance> {
  const { spec } = record;
  if (live.pid === undefined || live.state !== "running" || !isBridged(spec))
    return readinessAt(record, live, dir, now);
  const asked = await askedBridge(record, live.pid, dir, now);
  return spec.readiness.type === "mcp" ? asked : { ...asked, ...(await readinessAt(record, live, dir, now)) };
}

async function readinessAt(record: UnitRecord, live: Live, dir: string, now: number): Promise<Glance> {
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
        ...withoutUndefined({ mcp: found.mcp }),
      }
    : verdict("unknown", `not checked since it started; \`xy probe ${spec.name}\` checks it`);
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
    return verdict("unknown", `cannot be checked now: ${String(error)}`);
  }
}

/** A bridge has tried its server: that it is asked leaves nothing behind. */
async function askedBridge(record: UnitRecord, pid: number, dir: string, now: number): Promise<Glance> {
  const { signal } = new AbortController();
  try {
    const look = await lookAt(record, "bridge", { pid, dir, signal });
    const { ok, evidence, mcp, bridge } = look;
    return {
      ready: { status: ok ? "ok" : "failing", evidence, at: now },
      ...withoutUndefined({ mcp, bridge }),
    };
  } catch (error) {
    return { ready: { status: "unknown", evidence: `cannot be checked now: ${String(error)}`, at: now } };
  }
}

/** The last probe of this very process: when it was started, or by a person later. */
function lastLook({ ready, looked }: UnitRecord, pid: number) {
  const looks = [...(ready ? [{ ...ready, ok: true }] : []), ...(looked ? [looked] : [])];
  return looks
    .filter(({ process }) => process.pid === pid && isRunning(process))
    .sort((a, b) => b.at - a.at)[0];
}

/** A service manager only notices when a process exits. */
export function healthOf({ spec }: UnitRecord, live: Live, now: number): Observed["healthy"] {
  const evidence = live.pid === undefined ? "not running" : `${spec.backend} only notices when it exits`;
  return { status: "unknown", evidence, at: now };
}
