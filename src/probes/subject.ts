/** The processes of one run of a server, which a probe looks at. */
export interface Subject {
  /** Pids of what lives of its process group now. */
  members(): Promise<readonly number[]>;
  /** Where a probe that runs a program writes that down: a folder that only the account can enter. */
  readonly dir: string;
}
