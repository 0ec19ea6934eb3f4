import { isCode } from "../system/files.ts";
import { causeText, isNoRoom } from "../system/shortage.ts";
import { type Outcome, stopped } from "./outcome.ts";
import { lockProject } from "./project.ts";

export interface LockOptions {
  /** What cannot be done while another command holds the lock. Default: `apply`. */
  readonly verb?: string;
  /**
   * The work only removes, which may be what makes room on a full disk: it goes on where no lock can be written.
   */
  readonly removes?: boolean;
  /** Gets a sentence when it goes on without a lock. */
  readonly note: (text: string) => void;
}

/** Holds a project's lock while `work` runs, and releases it however `work` ends. */
export async function withLock<T>(
  state: string,
  project: string,
  work: () => Promise<Outcome<T>>,
  { verb = "apply", removes = false, note }: LockOptions,
): Promise<Outcome<T>> {
  let attempt: ReturnType<typeof lockProject>;
  try {
    attempt = lockProject(state, project);
  } catch (error) {
    if (!isNoRoom(error) && !(removes && isCode(error, "EACCES", "EPERM"))) throw error;
    const why = `the lock of ${project} cannot be written: ${causeText(error)}`;
    if (!removes) return stopped("failed", `nothing was applied: ${why}`);
    note(`xy: ${why}; going on without it, since this only removes`);
    return work();
  }
  if (!attempt.ok)
    return stopped(
      "locked",
      `cannot ${verb}: another apply of project ${project} is under way (pid ${attempt.by.pid})`,
    );
  try {
    return await work();
  } finally {
    attempt.lock.release();
  }
}

/** As {@link withLock}, for several projects. */
export function withLocks<T>(
  state: string,
  [first, ...rest]: readonly string[],
  work: () => Promise<Outcome<T>>,
  options: LockOptions,
): Promise<Outcome<T>> {
  if (first === undefined) return work();
  return withLock(state, first, () => withLocks(state, rest, work, options), options);
}
