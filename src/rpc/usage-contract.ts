import { z } from "zod";
import { BACKENDS } from "../model/backends.ts";
import { unixMs } from "../model/observed-schema.ts";
import type { ProcessUsage } from "../model/process.ts";
import { name } from "../model/spec-parts.ts";
import { STATES } from "../model/states.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { bridgeEntry } from "./entry-contract.ts";

/** The methods for the servers' use of resources and their record so far. */

const project = name.optional();

const processEntry = z.object({
  pid: z.int(),
  ppid: z.int(),
  /** Short name of the program. */
  program: z.string(),
  /** Its command line, cut, without the server's secrets. */
  command: z.string(),
  /** Share of one processor over the last quarter of a second. */
  cpu_percent: z.number(),
  /** Since its start. */
  cpu_secs: z.number(),
  /** Shared memory counts in proportion, where the system reports that. */
  memory_bytes: z.int(),
  started_at_unix_ms: unixMs.optional(),
  threads: z.int().optional(),
  /** It is a daemon that left the server: a stop does not end it, unless `stop.descendants` is "all". */
  left: z.literal(true).optional(),
});

const statsEntry = z.object({
  name: z.string(),
  project: z.string(),
  backend: z.enum(BACKENDS),
  state: z.enum(STATES),
  /** Only while it runs. */
  uptime_secs: z.int().optional(),
  /** Sum over its processes. */
  cpu_percent: z.number(),
  memory_bytes: z.int(),
  /** Null: nobody counts. */
  counted: z
    .object({
      since_unix_ms: unixMs,
      /** Share of the time in which it should have run that it did run; null: there was no such time yet. */
      availability: z.number().nullable(),
      up_secs: z.number(),
      /** It was starting, waited for a restart, or had failed. */
      down_secs: z.number(),
      starts: z.int(),
      /** Restarts by policy. */
      restarts: z.int(),
      /** Unrequested exits that were no success, and failed starts. */
      failures: z.int(),
      /** Finished runs; null: there were none. */
      runs: z
        .object({
          count: z.int(),
          shortest_secs: z.number(),
          mean_secs: z.number(),
          longest_secs: z.number(),
        })
        .nullable(),
    })
    .nullable(),
});

export const usageContract = {
  children: {
    reads: true,
    summary: "The processes of a server, parents before children, with what they use",
    params: z.strictObject({ name, project }),
    result: z.object({
      name: z.string(),
      project: z.string(),
      processes: z.array(processEntry),
      cpu_percent: z.number(),
      memory_bytes: z.int(),
      /** As in its entry of a list. */
      sleeping: z.literal(true).optional(),
      bridge: bridgeEntry.optional(),
    }),
  },
  stats: {
    reads: true,
    summary: "How servers have done so far, and what they use now",
    params: z.strictObject({ project, names: z.array(name).optional() }),
    result: z.array(statsEntry),
  },
} as const;

export type StatsEntry = z.output<typeof statsEntry>;
type ProcessEntry = z.output<typeof processEntry>;

/** The processes as the wire has them: each parent before its children. `redacted`: a text without secrets. `left`: those on their own. */
export function processEntries(
  usage: readonly ProcessUsage[],
  redacted: (text: string) => string,
  left: readonly number[] = [],
): { processes: ProcessEntry[]; cpu_percent: number; memory_bytes: number } {
  const known = new Set(usage.map(({ pid }) => pid));
  const byAge = [...usage].sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0) || a.pid - b.pid);
  const ordered: ProcessUsage[] = [];
  const visit = (one: ProcessUsage) => {
    ordered.push(one);
    for (const child of byAge) if (child.parent === one.pid && child !== one) visit(child);
  };
  for (const one of byAge) if (!known.has(one.parent)) visit(one);
  return {
    processes: ordered.map((one) => ({
      pid: one.pid,
      ppid: one.parent,
      program: redacted(one.program),
      command: redacted(one.command),
      cpu_percent: rounded(one.cpuPercent),
      cpu_secs: one.cpuSeconds,
      memory_bytes: one.memory,
      ...withoutUndefined({ started_at_unix_ms: one.startedAt, threads: one.threads }),
      ...(left.includes(one.pid) ? { left: true as const } : {}),
    })),
    ...totalOf(usage),
  };
}

export function totalOf(usage: readonly ProcessUsage[]): { cpu_percent: number; memory_bytes: number } {
  const sum = (of: (one: ProcessUsage) => number) => usage.reduce((total, one) => total + of(one), 0);
  return { cpu_percent: rounded(sum((one) => one.cpuPercent)), memory_bytes: sum((one) => one.memory) };
}

const rounded = (percent: number) => Math.round(percent * 10) / 10;
