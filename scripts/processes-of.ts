import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Processes, as `pid command`, that have the folder in their arguments or environment; Linux only, else none. */
export function processesOf(folder: string): string[] {
  if (!existsSync("/proc/self/environ")) return [];
  const read = (path: string) => {
    try {
      return readFileSync(path, "latin1").replaceAll("\0", " ").trim();
    } catch {
      return "";
    }
  };
  const others = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  return others.flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`);
    // Nothing there: a zombie, or gone.
    if (command === "" || !`${command} ${read(`/proc/${pid}/environ`)}`.includes(folder)) return [];
    return [`${pid} ${command.slice(0, 100)}`];
  });
}

/** Ends them. */
export function killProcessesOf(folder: string): void {
  for (const line of processesOf(folder)) {
    try {
      process.kill(Number.parseInt(line, 10), "SIGKILL");
    } catch {
      // It has just exited.
    }
  }
}
