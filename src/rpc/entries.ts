import { secondsSince } from "../model/elapsed.ts";
import type { Observed } from "../model/observed.ts";
import type { ListEntry, StatusEntry, TreeEntry } from "./contract.ts";

/** What the wire says of servers, made from an observation: for those that no agent tells of. */

const YES_NO = { ok: true, failing: false, unknown: null } as const;

/** `now`: unix ms. */
export function listEntryOf(observed: Observed, now: number): ListEntry {
  const { name, project, backend, state, pid, spec, operator, startedAt, lastExit, ready, healthy } =
    observed;
  const running = state === "running";
  return {
    name,
    project,
    backend,
    state,
    ...(pid === undefined ? {} : { pid }),
    port: spec?.port ?? null,
    held: operator === "stop",
    ...(running && startedAt !== undefined ? { uptime_secs: secondsSince(startedAt, now) } : {}),
    restart_count: observed.restartCount ?? null,
    ...(lastExit ? { last_exit: { exit: lastExit.exit, at_unix_ms: lastExit.at } } : {}),
    ready: running ? YES_NO[ready.status] : false,
    healthy: running ? YES_NO[healthy.status] : null,
  };
}

export function treeEntryOf(observed: Observed, now: number): TreeEntry {
  return { ...listEntryOf(observed, now), depends_on: observed.spec?.dependsOn ?? [] };
}

/** `log`: where its output is, or how it is read. */
export function statusEntryOf(
  observed: Observed & Required<Pick<Observed, "spec">>,
  log: string,
  now: number,
): StatusEntry {
  const { since, reason, operator, drift, ready, healthy, mcp, spec, startedAt, lastLines } = observed;
  return {
    ...listEntryOf(observed, now),
    since_unix_ms: since,
    ...(startedAt === undefined ? {} : { started_at_unix_ms: startedAt }),
    ...(reason === undefined ? {} : { reason }),
    operator,
    ...(drift === undefined ? {} : { drift }),
    recent_transitions: [],
    probes: { readiness: ready, liveness: healthy },
    ...(mcp ? { mcp } : {}),
    spec,
    log_path: log,
    ...(lastLines ? { last_lines: [...lastLines] } : {}),
  };
}
