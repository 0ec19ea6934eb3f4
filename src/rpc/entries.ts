import { secondsSince } from "../model/elapsed.ts";
import { serverUrl } from "../model/mcp-url.ts";
import type { Exit, Observed, Transition } from "../model/observed.ts";
import { pauseTimes } from "../model/time-names.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { ListEntry, StatusEntry, TreeEntry } from "./entry-contract.ts";

/** A server's entry on the wire, made from an observation: by the agent, and by commands for units. */

const YES_NO = { ok: true, failing: false, unknown: null } as const;

/** `now`: unix ms. */
export function listEntryOf(observed: Observed, now: number): ListEntry {
  const { name, project, backend, state, pid, spec, operator, startedAt, lastExit, ready, healthy } =
    observed;
  const { paused, unwatched, waitsFor: waits_for, kept, troubles } = observed;
  const running = state === "running";
  return {
    name,
    project,
    backend,
    state,
    is_running: running,
    ...withoutUndefined({ pid }),
    port: spec?.port ?? null,
    url: (spec && serverUrl(spec)) ?? null,
    held: operator === "stop",
    ...(paused ? { paused: pauseTimes(paused) } : {}),
    ...withoutUndefined({ unwatched }),
    ...(running && startedAt !== undefined ? { uptime_secs: secondsSince(startedAt, now) } : {}),
    restart_count: observed.restartCount ?? null,
    ...(lastExit ? lastEndOf(lastExit) : {}),
    ready: running ? YES_NO[ready.status] : false,
    healthy: running ? YES_NO[healthy.status] : null,
    ...withoutUndefined({ waits_for, kept, troubles }),
    ...bridgeEntryOf(observed),
  };
}

/** Who uses a server over stdin and stdout, and what works for them. */
export function bridgeEntryOf({ bridge }: Pick<Observed, "bridge">): Pick<ListEntry, "sleeping" | "bridge"> {
  if (bridge === undefined) return {};
  const { sleeping, ...rest } = bridge;
  return { ...(sleeping ? { sleeping } : {}), bridge: rest };
}

/** How a server's last process ended. There is no code after a signal, or if nobody saw it end. */
export function lastEndOf({
  exit,
  at,
  requested,
}: NonNullable<Observed["lastExit"]>): Pick<ListEntry, "last_exit" | "last_end"> {
  return {
    ...(exit.kind === "code" ? { last_exit: exit.code } : {}),
    last_end: {
      ...(exit.kind === "code" ? { code: exit.code } : {}),
      ...(exit.kind === "signal" ? { signal: exit.signal } : {}),
      ...(exit.kind === "unknown" && exit.because !== undefined ? { unknown_because: exit.because } : {}),
      at_unix_ms: Math.round(at),
      ...(requested ? { requested } : {}),
    },
  };
}

/** An entry from an earlier version's agent, as today's would send it. */
export function entryOfAgent<Entry extends ListEntry>(entry: Entry): Entry {
  const { last_exit: said } = entry as { last_exit?: number | { exit: Exit; at_unix_ms: number } };
  const isRunning = entry.state === "running";
  const url = entry.url ?? null;
  if (typeof said !== "object") return { ...entry, is_running: isRunning, url };
  const { last_exit: _, ...rest } = entry;
  return {
    ...(rest as Entry),
    is_running: isRunning,
    url,
    ...lastEndOf({ exit: said.exit, at: said.at_unix_ms }),
  };
}

export function treeEntryOf(observed: Observed, now: number): TreeEntry {
  return { ...listEntryOf(observed, now), depends_on: observed.spec?.dependsOn ?? [] };
}

/** `log`: where its output is, or how it is read. `transitions`: its newest ones, where somebody keeps them. */
export function statusEntryOf(
  observed: Observed & Required<Pick<Observed, "spec">>,
  log: string,
  now: number,
  transitions: readonly Transition[] = [],
): StatusEntry {
  const { since, reason, operator, drift, ready, healthy, mcp, spec, startedAt, startedBy, lastLines } =
    observed;
  return {
    ...listEntryOf(observed, now),
    since_unix_ms: since,
    ...withoutUndefined({ started_at_unix_ms: startedAt, reason }),
    operator,
    ...withoutUndefined({ started_by: startedBy, drift }),
    recent_transitions: transitions.map(({ at, ...step }) => ({ ...step, at_unix_ms: at })),
    probes: { readiness: ready, liveness: healthy },
    ...withoutUndefined({ mcp }),
    spec,
    log_path: log,
    ...withoutUndefined({ last_lines: lastLines }),
  };
}
