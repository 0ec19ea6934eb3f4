import { execFile, execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { type Mark, type ProcessRow, ProcessTable } from "../model/family.ts";
import type { ProcessId } from "../model/process.ts";
import { isCode } from "./files.ts";

/**
 * What the system says about processes. Linux is read from /proc; elsewhere `ps` is asked.
 * A zombie counts as gone: it holds nothing but its number.
 */

const isLinux = process.platform === "linux";

/**
 * How a program of the system is asked. `ps` writes times in the caller's zone and language: asked without them, a
 * process has the same start time for every agent and every command. The caller's PATH may lead to another program.
 */
export const ASKING = {
  encoding: "utf8",
  env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
  timeout: 5000,
  maxBuffer: 16 << 20,
} as const;
const PS = "/bin/ps";
const SYSCTL = "/usr/sbin/sysctl";

interface SystemRow extends ProcessRow {
  readonly state: string;
}

/**
 * The process of that pid, with what tells it from a later one of the same pid; undefined when there is none. Throws, as
 * all that asks for a process does, when nobody can look, for want of a descriptor.
 */
export function identify(pid: number): ProcessId | undefined {
  const row = isLinux ? readProc(pid) : readPs(pid);
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
  return new ProcessTable((isLinux ? [...scanProc()] : await scanPs()).filter((row) => !isDead(row)));
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

const isDead = (row: SystemRow) => row.state === "Z" || row.state === "X";

function* scanProc(): Iterable<SystemRow> {
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const row = readProc(pid);
    if (row) yield row;
  }
}

function readProc(pid: number): SystemRow | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  const { fields } = statOf(stat);
  const [state = "", parent, group, session] = fields;
  // The main thread may be over while others, which hold the same files and ports, are not.
  const [threads, start = ""] = [Number(fields[17]), fields[19]];
  return {
    pid,
    state: threads > 1 ? "R" : state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    start,
  };
}

const STAT = Buffer.allocUnsafeSlow(4096);

/**
 * Opened, read and closed, and no more: a look at all processes of a machine is made of it. One read gets all of a file
 * of /proc that fits, and this one has 52 numbers.
 */
function readStat(pid: number): string | undefined {
  try {
    const fd = openSync(`/proc/${pid}/stat`, "r");
    try {
      return STAT.toString("latin1", 0, readSync(fd, STAT, 0, STAT.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Without a free descriptor nobody can look: that is not to say that it is gone.
    if (isCode(error, "EMFILE", "ENFILE", "ENOMEM") && exists(pid)) throw error;
    return undefined;
  }
}

/** Asked without opening anything. A dead one that nobody has waited for exists, too. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

/** The kernel's name of a process, and the fields behind that, from the text of its `stat`. */
export function statOf(stat: string): { readonly comm: string; readonly fields: readonly string[] } {
  // The name in parentheses may hold anything, also spaces and parentheses: see proc(5).
  const end = stat.lastIndexOf(")");
  return { comm: stat.slice(stat.indexOf("(") + 1, end), fields: stat.slice(end + 2).split(" ") };
}

const PS_COLUMNS = ["-o", "pid=,ppid=,pgid=,stat=,lstart="];

function readPs(pid: number): SystemRow | undefined {
  try {
    return parsePs(execFileSync(PS, [...PS_COLUMNS, "-p", String(pid)], ASKING))[0];
  } catch {
    return undefined;
  }
}

async function scanPs(): Promise<SystemRow[]> {
  const { stdout } = await promisify(execFile)(PS, ["-ax", ...PS_COLUMNS], ASKING);
  return parsePs(stdout);
}

/** Reads the rows of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePs(text: string): SystemRow[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(.+)$/.exec(line.trim());
    if (!match) return [];
    const [, pid, parent, group, state = "", start = ""] = match;
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), state, start }];
  });
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
  const row = isLinux ? readProc(pid) : readPs(pid);
  return row && !isDead(row) ? row : undefined;
}

/** Undefined for a process that is gone. */
export function parentOf(pid: number): number | undefined {
  return (isLinux ? readProc(pid) : readPs(pid))?.parent;
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
    const row = isLinux ? readProc(at) : readPs(at);
    if (row === undefined) break;
    line.add(at);
    if (row.group > 1) line.add(row.group);
    at = row.parent;
  }
  return [...line];
}

/** Whether a process is of this process group, or was started by its leader. */
export function isOfGroup(pid: number, leader: number): boolean {
  const row = isLinux ? readProc(pid) : readPs(pid);
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
  const rows = isLinux ? [...scanProc()] : await scanPs();
  for (const pid of withDescendants([root], rows)) signalProcess(pid, "SIGKILL");
}

/** Signals exactly this process: false when its number is another's by now, or nobody's. */
export function signalExactly({ pid, start }: Mark, signal: NodeJS.Signals): boolean {
  const row = isLinux ? readProc(pid) : readPs(pid);
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
    const at = Date.parse(`${readPs(pid)?.start ?? ""} UTC`);
    return Number.isNaN(at) ? undefined : at;
  }
  const ticks = Number(readProc(pid)?.start);
  const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  return Number.isNaN(ticks) || boot === undefined ? undefined : Number(boot) * 1000 + (ticks * 1000) / TICKS;
}

/** Ticks in a second, as programs are told of them on every architecture. */
export const TICKS = 100;
