import * as fs from "node:fs";

/**
 * The hard limit of open files of this process, which whatever it starts has, too, and cannot raise. Undefined: none, or the
 * system does not tell.
 */
export function hardLimitOfFiles(): number | undefined {
  try {
    return hardLimitIn(fs.readFileSync("/proc/self/limits", "latin1"));
  } catch {
    return undefined;
  }
}

/** Of the table in /proc/PID/limits: `Max open files   1024   4096   files`. */
export function hardLimitIn(table: string): number | undefined {
  const hard = /^Max open files +\S+ +(\d{1,15}) /m.exec(table)?.[1];
  return hard === undefined ? undefined : Number(hard);
}
