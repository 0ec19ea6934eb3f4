/** Names one process for good: a pid alone is given to another program sooner or later. */
export interface ProcessId {
  readonly pid: number;
  /** Start time as the system tells it; opaque, only compared. */
  readonly start: string;
  /** Which boot of the machine the start time counts from. */
  readonly boot: string;
}
