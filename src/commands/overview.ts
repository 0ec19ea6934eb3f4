import { entryOfAgent, listEntryOf } from "../rpc/entries.ts";
import type { ListEntry } from "../rpc/entry-contract.ts";
import { lostRoots, recordedBackends, recordedProjects } from "../system/projects.ts";
import { type Counts, type Overview, overviewView } from "../views/overview.ts";
import { wireName } from "./addresses.ts";
import { withRunningAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { searchFrom } from "./configuration.ts";
import { unitServers } from "./units.ts";

/** Most servers whose reason is asked for. */
const MOST_REASONS = 50;

interface Seen {
  readonly entry: ListEntry;
  readonly reason?: string | undefined;
}

/** Shows how the project here is. Evaluates no configuration, and starts nothing, the agent included. */
export async function showOverview(
  command: BaseCommand,
  flags: { readonly config?: string | undefined },
): Promise<void> {
  const { projectSizes, recordedOf } = await import("../operation/overview.ts");
  const { rootHere } = await import("../operation/project.ts");
  const { root, project } = await rootHere(await searchFrom(flags), command.state);
  const asked = await fromAgent(command, project);
  const units = await unitServers(command, project, (observed, now) => ({
    entry: listEntryOf(observed, now),
    reason: observed.reason,
  }));
  const seen = [...(asked?.seen ?? []), ...units];
  const recorded = recordedProjects(command.state)
    .filter((one) => (project ?? one) === one)
    .flatMap((one) => recordedBackends(command.state, one));
  const { last, changedFiles, clients } =
    project === undefined
      ? { last: undefined, changedFiles: [], clients: [] }
      : recordedOf(command.state, project);
  const overview: Overview = {
    project: project ?? null,
    root: root ?? null,
    agent: asked?.agent ?? { running: false },
    backends: [...new Set(recorded.map(({ backend }) => backend))].map((backend) => ({
      backend,
      servers: recorded.filter((one) => one.backend === backend).length,
    })),
    counts: countsOf(
      seen.map(({ entry }) => entry),
      recorded.length,
    ),
    failed: seen.flatMap(troubleOf),
    generation: last
      ? { number: last.number, at_unix_ms: last.at, outcome: last.outcome, rollback_of: last.rollbackOf }
      : null,
    changed_files: changedFiles,
    clients,
    lost_roots: lostRoots(command.state),
    other_projects: projectSizes(command.state).filter((one) => one.project !== project),
  };
  await command.show(overview, { text: (shown) => overviewView(shown, command.screen) });
}

/** Undefined: no agent is running. */
async function fromAgent(
  command: BaseCommand,
  project: string | undefined,
): Promise<{ seen: Seen[]; agent: Overview["agent"] } | undefined> {
  return withRunningAgent(command, async (client) => {
    const { pid, version, started_at_unix_ms } = await client.call("agent_info", {});
    const entries = await client.call("list", project === undefined ? {} : { project });
    let asked = 0;
    const seen: Seen[] = [];
    for (const one of entries) {
      const entry = entryOfAgent(one);
      const isAsked = isTroubled(entry) && asked++ < MOST_REASONS;
      const status = isAsked
        ? // It may have been removed meanwhile.
          await client.call("status", wireName(entry)).catch(() => undefined)
        : undefined;
      const probe = status?.probes.readiness;
      const evidence = entry.state === "running" && probe?.status === "failing" ? probe.evidence : undefined;
      seen.push({ entry, reason: evidence ?? status?.reason });
    }
    return { seen, agent: { running: true, pid, version, started_at_unix_ms } };
  });
}

const isTroubled = (entry: ListEntry) =>
  hasFailed(entry) || (entry.state === "running" && entry.ready === false);

/** Also one that ended by itself in vain, and is not started again. */
function hasFailed({ state, held, waits_for, last_end: end }: Counted): boolean {
  if (state === "failed") return true;
  if (state !== "stopped" || held || waits_for !== undefined || end === undefined) return false;
  return end.requested !== true && end.code !== 0;
}

function troubleOf({ entry, reason }: Seen): Overview["failed"] {
  const { project, name, state } = entry;
  return isTroubled(entry) ? [{ project, name, state, reason }] : [];
}

/** What a list entry says, as far as it is counted. */
interface Counted {
  readonly state: string;
  readonly ready: boolean | null;
  readonly held: boolean;
  readonly paused?: unknown;
  readonly sleeping?: true | undefined;
  readonly waits_for?: readonly unknown[] | undefined;
  readonly last_end?:
    | { readonly code?: number | undefined; readonly requested?: true | undefined }
    | undefined;
}

/** `servers`: how many are on record. */
export function countsOf(entries: readonly Counted[], servers: number): Counts {
  const count = (is: (entry: Counted) => boolean) => entries.filter(is).length;
  return {
    servers: Math.max(servers, entries.length),
    known: entries.length,
    running: count(({ state }) => state === "running"),
    ready: count(({ state, ready }) => state === "running" && ready === true),
    failed: count(hasFailed),
    held: count(({ held, state }) => held && state === "stopped"),
    asleep: count(({ sleeping }) => sleeping === true),
    waiting: count(({ waits_for = [] }) => waits_for.length > 0),
    paused: count(({ paused }) => paused !== undefined),
  };
}
