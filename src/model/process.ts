import type { z } from "zod";
import type { processId } from "./spec-parts.ts";

export type ProcessId = Readonly<z.output<typeof processId>>;

/** A process and its use of resources. */
export interface ProcessUsage {
  readonly pid: number;
  readonly parent: number;
  /** Short name. */
  readonly program: string;
  /** Command line, shortened. It may contain secrets. */
  readonly command: string;
  /** Current share of one processor. */
  readonly cpuPercent: number;
  /** Since its start. */
  readonly cpuSeconds: number;
  /** Bytes. */
  readonly memory: number;
  /** Unix ms. */
  readonly startedAt: number | undefined;
  readonly threads: number | undefined;
}
