import type { z } from "zod";
import type { processId } from "./spec-parts.ts";

export type ProcessId = Readonly<z.output<typeof processId>>;

/** What a process is and uses. */
export interface ProcessUsage {
  readonly pid: number;
  readonly parent: number;
  /** Short name. */
  readonly program: string;
  /** Command line, cut. It may hold secrets. */
  readonly command: string;
  /** Of one processor, now. */
  readonly cpuPercent: number;
  /** Since its start. */
  readonly cpuSeconds: number;
  /** Bytes. */
  readonly memory: number;
  /** Unix ms. */
  readonly startedAt: number | undefined;
  readonly threads: number | undefined;
}
