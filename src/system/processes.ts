import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { type Mark, type ProcessRow, ProcessTable } from "../model/family.ts";
import type { ProcessId } from "../model/process.ts";
import { ASKING, isDead, isLinux, PS, readRow, readRows, SYSCTL, TICKS } from "./process-rows.ts";

/**
 * What the system says about processes. Linux is read from /proc; elsewhere `ps` is asked.
 * A zombie counts as gone: it holds nothing but its number.
 */

/**
 * The process of that pid, with what tells it from a later one of the same pid; undefined when there is none. Throws, as
 * all that asks for a process does, when nobody can look, for want of a descriptor.
 */
export function identify(pid: number): ProcessId | undefined {
  const row = readRow(pid);
  return row && !isDead(row) ? { pid, start: row.start, boot: bootId() } : undefined;
}

/** True when exactly this process still runs. */
export function isRunning(id: ProcessId): boolean {
  const now = identify(id.pid);
  return now !== undefined && now.start === id.start && now.boot === id.boot;
}

/** All living processes. One scan serves all callers of the same turn. */
export function processTable(): Promise<ProcessTable> {
  pendingScan ??= new Promise((resolve, reject) => {
    setImmediate(() => {
      pendingScan = undefined;
      scan().then(resolve, reject);
    });
  });
  return pendingScan;
}
let pendingScan: Promise<ProcessTable> | undefined;

async function scan(): Promise<ProcessTable> {
  return new ProcessTable((await readRows()).filter((row) => !isDead(row)));
}

function withDescendants(
  roots: readonly number[],
  rows: readonly Pick<ProcessRow, "pid" | "parent">[],
): ReadonlySet<number> {
  const family = new Set(roots);
  // Rows come in no order: look again until nobody new is found.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
  }
  return family;
}

let boot: string | undefined;

/** Tells this boot of the machine from every other. */
export function bootId(): string {
  boot ??= isLinux
    ? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    : execFileSync(SYSCTL, ["-n", "kern.bootsessionuuid"], ASKING).trim();
  return boot;
}

/** Longest command line that is looked at, bytes. */
const LONGEST_COMMAND = 64 * 1024;

/**
 * The words with which a process was started, as far as they are in the first 64 KiB; none of one that is gone. Where
 * the system has only one line, its words are those between spaces.
 */
export function wordsOf(pid: number): string[] {
  try {
    if (!isLinux)
      return execFileSync(PS, ["-ww", "-o", "command=", "-p", String(pid)], ASKING)
        .trim()
        .split(" ");
    const fd = openSync(`/proc/${pid}/cmdline`, "r");
    try {
      const buffer = Buffer.alloc(LONGEST_COMMAND);
      return buffer.toString("utf8", 0, readSync(fd, buffer, 0, LONGEST_COMMAND, 0)).split("\0");
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

/** Undefined for a process that is gone. */
export function rowOf(pid: number): ProcessRow | undefined {
  const row = readRow(pid);
  return row && !isDead(row) ? row : undefined;
}

/** Undefined for a process that is gone. */
export function parentOf(pid: number): number | undefined {
  return readRow(pid)?.parent;
}

/**
 * The living processes that a process has started itself, as far as that is told without a look at all processes:
 * Linux's list of each thread. Undefined where there is no such list.
 */
export function childrenOf(pid: number): number[] | undefined {
  if (!isLinux) return undefined;
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return undefined;
  }
}

/** Most ancestors that are looked at. */
const MOST_ANCESTORS = 32;

/** A process, those that it descends from, and the leaders of the process groups that these are in: nearest first. */
export function lineageOf(pid: number): number[] {
  const line = new Set<number>();
  for (let at = pid, steps = 0; at > 1 && steps < MOST_ANCESTORS; steps++) {
    const row = readRow(at);
    if (row === undefined) break;
    line.add(at);
    if (row.group > 1) line.add(row.group);
    at = row.parent;
  }
  return [...line];
}

/** Whether a process is of this process group, or was started by its leader. */
export function isOfGroup(pid: number, leader: number): boolean {
  const row = readRow(pid);
  return row !== undefined && (row.group === leader || row.parent === leader);
}

/** Short name of a process, for messages. */
export function processName(pid: number): string {
  try {
    if (isLinux)
      return nameOf(readFileSync(`/proc/${pid}/cmdline`, "utf8"), readFileSync(`/proc/${pid}/comm`, "utf8"));
    const path = execFileSync(PS, ["-o", "comm=", "-p", String(pid)], ASKING);
    return path.trim().split("/").at(-1) ?? "?";
  } catch {
    return "?";
  }
}

/** The program that was started. The kernel's short name may be that of a thread: newer Nodes are all "MainThread". */
export function nameOf(cmdline: string, comm: string): string {
  const program = /^-?([^\0 :]+)/.exec(cmdline)?.[1] ?? "";
  return basename(program) || comm.trim();
}

/** Kills a process that we started, and all that descends from it. */
export async function killTree(root: number): Promise<void> {
  const rows = await readRows();
  for (const pid of withDescendants([root], rows)) signalProcess(pid, "SIGKILL");
}

/** Signals exactly this process: false when its number is another's by now, or nobody's. */
export function signalExactly({ pid, start }: Mark, signal: NodeJS.Signals): boolean {
  const row = readRow(pid);
  return row?.start === start && signalProcess(pid, signal);
}

/** Sends a signal; false when nobody was there to get it. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Unix ms at which a process was started, to the second at least; undefined when it is gone. */
export function startedAt(pid: number): number | undefined {
  if (!isLinux) {
    const at = Date.parse(`${readRow(pid)?.start ?? ""} UTC`);
    return Number.isNaN(at) ? undefined : at;
  }
  const ticks = Number(readRow(pid)?.start);
  const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  return Number.isNaN(ticks) || boot === undefined ? undefined : Number(boot) * 1000 + (ticks * 1000) / TICKS;
}
