import { execFile, execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { promisify } from "node:util";
import type { ProcessRow } from "../model/family.ts";
import { isCode } from "./files.ts";

/** Rows of the process table: read from /proc on Linux, asked from `ps` elsewhere. */

export const isLinux = process.platform === "linux";

/**
 * How to run a system program. `ps` prints times in the caller's time zone and language: without those, every agent and
 * command sees the same start time. The caller's PATH may lead to another program.
 */
export const ASKING = {
  encoding: "utf8",
  env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
  timeout: 5000,
  maxBuffer: 16 << 20,
} as const;
export const PS = "/bin/ps";
export const SYSCTL = "/usr/sbin/sysctl";

export interface SystemRow extends ProcessRow {
  readonly state: string;
}

export const isDead = (row: SystemRow) => row.state === "Z" || row.state === "X";

/** The row of one process; undefined when there is none. */
export const readRow = (pid: number): SystemRow | undefined => (isLinux ? readProc(pid) : readPs(pid));

/** The rows of all processes. */
export const readRows = async (): Promise<SystemRow[]> => (isLinux ? [...scanProc()] : scanPs());

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
  // The main thread may have exited while others, which hold the same files and ports, still run.
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
 * Only opens, reads and closes, as a scan of all processes consists of this. One read gets a whole file of /proc that fits,
 * and this one has 52 numbers.
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
    // Without a free descriptor we cannot look: that does not mean it is gone.
    if (isCode(error, "EMFILE", "ENFILE", "ENOMEM") && exists(pid)) throw error;
    return undefined;
  }
}

/** Checks without opening anything. A zombie exists, too. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

/** The kernel's name for a process, and the fields after it, from the text of its `stat`. */
export function statOf(stat: string): { readonly comm: string; readonly fields: readonly string[] } {
  // The name in parentheses may contain anything, even spaces and parentheses: see proc(5).
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

/** Ticks per second, as reported to programs on every architecture. */
export const TICKS = 100;
