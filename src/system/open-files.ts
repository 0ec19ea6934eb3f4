import * as fs from "node:fs";

/**
 * This process's hard limit of open files, which its children inherit and cannot raise. Undefined if there is none, or the
 * system does not say.
 */
export function hardLimitOfFiles(): number | undefined {
  try {
    return hardLimitIn(fs.readFileSync("/proc/self/limits", "latin1"));
  } catch {
    return undefined;
  }
}

/** Reads the table in /proc/PID/limits: `Max open files   1024   4096   files`. */
export function hardLimitIn(table: string): number | undefined {
  const hard = /^Max open files +\S+ +(\d{1,15}) /m.exec(table)?.[1];
  return hard === undefined ? undefined : Number(hard);
}
