import { execFileSync } from "node:child_process";
import { identify } from "../../src/system/processes.ts";

/** A living process: zombies are left out. */
export interface ProcessRow {
  readonly pid: number;
  readonly group: number;
  readonly command: string;
}

export function processes(): ProcessRow[] {
  const text = execFileSync("ps", ["-axww", "-o", "pid=,pgid=,stat=,args="], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return text.split("\n").flatMap((row) => {
    const match = /^\s*(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(.*)$/.exec(row);
    if (!match) return [];
    const [, pid, group, , command = ""] = match;
    return [{ pid: Number(pid), group: Number(group), command }];
  });
}

export const groupMembers = (group: number) => processes().filter((row) => row.group === group);

/** Programs that were started with this argument. Keepers, which carry it too, are no programs. */
export function programsWith(marker: string): ProcessRow[] {
  return processes().filter(({ command }) => command.includes(marker) && !command.includes("xy-keeper:"));
}

export function isAlive(pid: number): boolean {
  return identify(pid) !== undefined;
}

/** The process group of a living process. */
export function groupOf(pid: number): number {
  const row = processes().find((candidate) => candidate.pid === pid);
  if (!row) throw new Error(`process ${pid} does not live`);
  return row.group;
}

/** SIGKILL for every process of the group; none is left to be told when it is empty. */
export function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It is gone.
  }
}
