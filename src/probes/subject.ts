/** The processes of one run of a server, which a probe looks at. */
export interface Subject {
  /** Pids of all that is the server's now. Looks at all processes of the machine. */
  members(): Promise<readonly number[]>;
  /** Takes note of what has come to it, which costs next to nothing; absent where nobody remembers. */
  notice?(): void;
  /** Where a probe that runs a program writes that down: a folder that only the account can enter. */
  readonly dir: string;
}
