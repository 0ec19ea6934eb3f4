/** What each exit code of `xy` means. Scripts depend on these numbers. */
export const EXIT = {
  success: 0,
  /** The operation was carried out, or tried, and failed. */
  failed: 1,
  /** The agent or a backend cannot be reached. */
  unreachable: 2,
  /** The configuration is invalid, or there is none; nothing was done. */
  invalidConfig: 3,
  /** `plan --detailed-exitcode`: there is something to change. */
  changesPending: 4,
  /** Unknown command, flag or argument. */
  usage: 64,
  /** Another apply holds the project's lock. */
  locked: 75,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
