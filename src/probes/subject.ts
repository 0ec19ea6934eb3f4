/** The processes of one run of a server, which a probe looks at. */
export interface Subject {
  /** Pids of all the server's processes now. Reads the whole process table. */
  members(): Promise<readonly number[]>;
  /** Notes new processes of the server, which costs next to nothing; absent if nobody keeps track. */
  notice?(): void;
  /** Where a command probe records its process: a folder that only the account can enter. */
  readonly dir: string;
}
