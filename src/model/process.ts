/** Names one process for good: a pid alone is given to another program sooner or later. */
export interface ProcessId {
  readonly pid: number;
  /** Start time as the system tells it; opaque, only compared. */
  readonly start: string;
  /** Which boot of the machine the start time counts from. */
  readonly boot: string;
}

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
