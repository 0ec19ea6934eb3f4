import { readdirSync, readFileSync } from "node:fs";
import { identify } from "../../src/system/processes.ts";

/** A living process: zombies are left out. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

export function processes(): ProcessRow[] {
  return readdirSync("/proc").flatMap((entry) => (/^\d/.test(entry) ? processRow(Number(entry)) : []));
}

/** Read from /proc: tests look often, and a program that looks for them costs as much as what they look for. */
function processRow(pid: number): ProcessRow[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return state === "Z" ? [] : [{ pid, parent: Number(parent), group: Number(group), command }];
  } catch {
    // It is gone.
    return [];
  }
}

export const groupMembers = (group: number) => processes().filter((row) => row.group === group);

/** Programs that were started with this argument. Keepers, which carry it too, are no programs. */
export function programsWith(marker: string): ProcessRow[] {
  return processes().filter(({ command }) => command.includes(marker) && !command.includes("xy-keeper:"));
}

/** All below a process. */
export function descendants(pid: number, all = processes()): ProcessRow[] {
  return all.filter(({ parent }) => parent === pid).flatMap((row) => [row, ...descendants(row.pid, all)]);
}

export function isAlive(pid: number): boolean {
  return identify(pid) !== undefined;
}

/** The process group of a living process. */
export function groupOf(pid: number): number {
  const [row] = processRow(pid);
  if (!row) throw new Error(`process ${pid} does not live`);
  return row.group;
}

/** SIGKILL for every process of the group; none is left to be told when it is empty. */
export const killGroup = (group: number) => killNow(-group);

/** SIGKILL, for one that may have ended meanwhile. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}
