import { pidsOf } from "../backends/units/family.ts";
import type { Observed } from "../model/observed.ts";
import { listEntryOf } from "../rpc/entries.ts";
import { type StatsEntry, totalOf } from "../rpc/usage-contract.ts";
import { usageOf } from "../system/usage.ts";
import { withRunningAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { unitServers } from "./units.ts";

/** What the servers use that run now, of all projects or of one. Starts no agent. */
export async function usageOfServers(
  command: BaseCommand,
  project: string | undefined,
): Promise<StatsEntry[]> {
  const params = project === undefined ? {} : { project };
  const own = (await withRunningAgent(command, (client) => client.call("stats", params))) ?? [];
  return [...own, ...(await unitUsage(command, project))];
}

/** Of servers under a service manager. Nothing is counted for these: only their present state is known. */
export async function unitUsage(command: BaseCommand, project: string | undefined): Promise<StatsEntry[]> {
  const observed = await unitServers(command, project, (one) => one);
  return Promise.all(observed.map(unitEntry));
}

async function unitEntry(observed: Observed): Promise<StatsEntry> {
  const { name, project, backend, state, uptime_secs } = listEntryOf(observed, Date.now());
  const usage = await usageOf(await pidsOf(observed, observed.pid));
  const up = uptime_secs === undefined ? {} : { uptime_secs };
  return { name, project, backend, state, ...up, ...totalOf(usage), counted: null };
}
