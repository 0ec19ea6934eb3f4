import { readFileSync } from "node:fs";

/** Why nobody counts the reads and writes of a process here; undefined when the kernel does. Under CI it has to. */
export function whyNoIoCalls(): string | undefined {
  const why = lookForIoCalls();
  if (why !== undefined && process.env.CI) throw new Error(`cannot count reads and writes: ${why}`);
  if (why !== undefined) console.warn(`SKIPPED, no test that counts reads and writes: ${why}`);
  return why;
}

function lookForIoCalls(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  try {
    ioCalls(process.pid);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** System calls that a process has made to read and to write, in all its threads; those that got nothing count too. */
export function ioCalls(pid: number): number {
  const text = readFileSync(`/proc/${pid}/io`, "utf8");
  const [reads, writes] = [/^syscr: (\d+)$/m, /^syscw: (\d+)$/m].map((field) => field.exec(text)?.[1]);
  if (reads === undefined || writes === undefined) throw new Error(`/proc/${pid}/io has no syscr and syscw`);
  return Number(reads) + Number(writes);
}
