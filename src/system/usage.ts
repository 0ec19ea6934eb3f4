import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { ProcessUsage } from "../model/process.ts";
import { ASKING, statOf, TICKS } from "./process-rows.ts";
import { nameOf, startedAt } from "./processes.ts";

/** What processes use: from /proc on Linux, from `ps` elsewhere. */

/** Time between the two samples of processor use, ms. */
const SAMPLE = 250;
/** Longest command line to report, characters. */
const LONGEST = 500;

/** What each of the processes uses now, without those that are gone. Takes a moment, to sample processor use. */
export async function usageOf(pids: readonly number[]): Promise<ProcessUsage[]> {
  if (pids.length === 0) return [];
  if (process.platform !== "linux") return psUsage(pids);
  const before = await Promise.all(pids.map(readStat));
  const began = process.hrtime.bigint();
  await new Promise((resolve) => setTimeout(resolve, SAMPLE));
  const found = await Promise.all(
    pids.map(async (pid, i) => {
      const [earlier, stat] = [before[i], await readStat(pid)];
      if (!stat || !earlier || earlier.start !== stat.start) return [];
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      const [cmdline, memory] = await Promise.all([read(pid, "cmdline"), memoryOf(pid)]);
      return [
        {
          pid,
          parent: stat.parent,
          program: nameOf(cmdline, stat.comm),
          command: commandOf(cmdline) || `[${stat.comm}]`,
          cpuPercent: Math.max(0, ((stat.ticks - earlier.ticks) / TICKS / seconds) * 100),
          cpuSeconds: stat.ticks / TICKS,
          memory,
          startedAt: startedAt(pid),
          threads: stat.threads,
        },
      ];
    }),
  );
  return found.flat();
}

/**
 * Ticks of processor time that each of the processes has used so far, by pid and start time, without those that are gone.
 * If the system reports seconds, they are converted.
 */
export async function ticksOf(pids: readonly number[]): Promise<ReadonlyMap<string, number>> {
  if (process.platform !== "linux") {
    const usage = await psUsage(pids);
    return new Map(
      usage.map(({ pid, startedAt: at, cpuSeconds }) => [`${pid}@${at}`, Math.round(cpuSeconds * TICKS)]),
    );
  }
  const stats = await Promise.all(pids.map(readStat));
  return new Map(
    stats.flatMap((stat, i) => (stat ? [[`${pids[i]}@${stat.start}`, stat.ticks] as const] : [])),
  );
}

interface Stat {
  readonly comm: string;
  readonly parent: number;
  readonly ticks: number;
  readonly threads: number;
  readonly start: string;
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await read(pid, "stat");
  const { comm, fields } = statOf(text);
  const [state, parent] = fields;
  if (text === "" || state === "Z" || state === "X") return undefined;
  return {
    comm,
    parent: Number(parent),
    ticks: Number(fields[11]) + Number(fields[12]),
    threads: Number(fields[17]),
    start: fields[19] ?? "",
  };
}

/** Memory in bytes: with its share of what it has in common with others, if that can be read; else its resident size. */
async function memoryOf(pid: number): Promise<number> {
  const share = /^Pss:\s+(\d+) kB/m.exec(await read(pid, "smaps_rollup"))?.[1];
  if (share !== undefined) return Number(share) * 1024;
  const held = /^VmRSS:\s+(\d+) kB/m.exec(await read(pid, "status"))?.[1];
  return Number(held ?? 0) * 1024;
}

const read = (pid: number, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");

/** The words of a process, as /proc has them. */
export const commandOf = (cmdline: string) => cmdline.slice(0, LONGEST).replaceAll("\0", " ").trimEnd();

const PS_COLUMNS = "pid=,ppid=,pcpu=,time=,rss=,lstart=,command=";

async function psUsage(pids: readonly number[]): Promise<ProcessUsage[]> {
  const args = ["-ww", "-o", PS_COLUMNS, "-p", pids.join(",")];
  // It exits with 1 if one of them is gone.
  const { stdout } = await promisify(execFile)("/bin/ps", args, ASKING).catch((error) => error);
  return parsePsUsage(String(stdout ?? ""));
}

/** Reads the rows of `ps -o pid=,ppid=,pcpu=,time=,rss=,lstart=,command=`, asked in C and UTC. */
export function parsePsUsage(text: string): ProcessUsage[] {
  const row =
    /^\s*(\d+)\s+(\d+)\s+([\d.]+)\s+([\d:.-]+)\s+(\d+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/;
  return text.split("\n").flatMap((line) => {
    const match = row.exec(line);
    if (!match) return [];
    const [, pid, parent, percent, time = "", kib, start, command = ""] = match;
    const at = Date.parse(`${start} UTC`);
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        program: nameOf(command.replaceAll(" ", "\0"), command),
        command: command.slice(0, LONGEST),
        cpuPercent: Number(percent),
        cpuSeconds: secondsOf(time),
        memory: Number(kib) * 1024,
        startedAt: Number.isNaN(at) ? undefined : at,
        threads: undefined,
      },
    ];
  });
}

/** `1-02:03:04`, `02:03:04` or `3:04.05` as seconds. */
function secondsOf(time: string): number {
  const [rest = "", days] = time.split("-").reverse();
  const parts = rest.split(":").map(Number);
  return parts.reduce((sum, part) => sum * 60 + part, 0) + Number(days ?? 0) * 86_400;
}
