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
 * The process with that pid, with what distinguishes it from a later one with the same pid; undefined if there is none.
 * Throws, like everything that asks for a process, if it cannot look, for lack of a descriptor.
 */
export function identify(pid: number): ProcessId | undefined {
  const row = readRow(pid);
  return row && !isDead(row) ? { pid, start: row.start, boot: bootId() } : undefined;
}

/** True if exactly this process still runs. */
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
  // Rows come in no order: repeat until no new one is found.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
  }
  return family;
}

let boot: string | undefined;

/** Identifies this boot of the machine. */
export function bootId(): string {
  boot ??= isLinux
    ? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    : execFileSync(SYSCTL, ["-n", "kern.bootsessionuuid"], ASKING).trim();
  return boot;
}

/** Longest command line that is read, bytes. */
const LONGEST_COMMAND = 64 * 1024;
/** One for all: a scan reads those of hundreds of processes. */
const COMMAND = Buffer.allocUnsafeSlow(LONGEST_COMMAND);

/**
 * The command line of a process, up to 64 KiB; empty if it is gone. If the system only has one line, it is split at
 * spaces.
 */
export function wordsOf(pid: number): string[] {
  try {
    if (!isLinux)
      return execFileSync(PS, ["-ww", "-o", "command=", "-p", String(pid)], ASKING)
        .trim()
        .split(" ");
    const fd = openSync(`/proc/${pid}/cmdline`, "r");
    try {
      return COMMAND.toString("utf8", 0, readSync(fd, COMMAND, 0, LONGEST_COMMAND, 0)).split("\0");
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
 * The running children of a process, if the system lists them without a scan of all processes, as Linux does for each
 * thread. Undefined if there is no such list.
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

/** Most ancestors to look at. */
const MOST_ANCESTORS = 32;

/** A process, its ancestors, and the leaders of their process groups, nearest first. */
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

/** Whether a process is in this process group, or was started by its leader. */
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

/** The name of the program. The kernel's short name may be a thread's: for newer Nodes it is always "MainThread". */
export function nameOf(cmdline: string, comm: string): string {
  const program = /^-?([^\0 :]+)/.exec(cmdline)?.[1] ?? "";
  return basename(program) || comm.trim();
}

/** Kills a process that we started, and all its descendants. */
export async function killTree(root: number): Promise<void> {
  const rows = await readRows();
  for (const pid of withDescendants([root], rows)) signalProcess(pid, "SIGKILL");
}

/** Signals exactly this process; false if its pid now belongs to another one, or to none. */
export function signalExactly({ pid, start }: Mark, signal: NodeJS.Signals): boolean {
  const row = readRow(pid);
  return row?.start === start && signalProcess(pid, signal);
}

/** Sends a signal; false if there was no such process. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Unix ms at which a process was started, at least to the second; undefined if it is gone. */
export function startedAt(pid: number): number | undefined {
  if (!isLinux) {
    const at = Date.parse(`${readRow(pid)?.start ?? ""} UTC`);
    return Number.isNaN(at) ? undefined : at;
  }
  const ticks = Number(readRow(pid)?.start);
  const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  return Number.isNaN(ticks) || boot === undefined ? undefined : Number(boot) * 1000 + (ticks * 1000) / TICKS;
}
