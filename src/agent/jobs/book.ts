import * as fs from "node:fs";
import { isMainJob, isOver, type Job, type JobSpec } from "../../model/job.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { bootId } from "../../system/processes.ts";
import { JobFolders, type Owner, type OwnerQuery, ownerKey, serverOwner } from "./folders.ts";
import { JobIds } from "./ids.ts";
import { type JobEntry, type JobPatch, Journal } from "./journal.ts";

/** What is said of a job when it is created; the rest follows. */
export interface NewJob extends Owner, Pick<Job, "trigger" | "tags"> {
  readonly spec: JobSpec;
  readonly retry_of?: number;
  readonly inc?: number;
  readonly awaits?: readonly number[];
}

export interface JobQuery extends OwnerQuery {
  readonly phase?: Job["phase"] | undefined;
  readonly tag?: string | undefined;
  readonly since_unix_ms?: number | undefined;
  readonly limit: number;
  /** Only jobs with a smaller id. */
  readonly cursor?: number | undefined;
}

/** A job that may not be over. */
export interface LeftOver {
  readonly job: Owner & Pick<Job, "id">;
  readonly entry: JobEntry | undefined;
  readonly spec: JobSpec | null;
}

/**
 * Every job, on disk; in memory are those alone that are not over. The one place in which jobs are created: it gives
 * them their id, their server and their action.
 */
export class JobBook {
  readonly folders: JobFolders;
  readonly #report: (message: string) => void;
  readonly #journals = new Map<string, Journal>();
  readonly #open = new Map<number, JobEntry>();
  readonly #ids: JobIds;

  constructor(state: string, report: (message: string) => void) {
    this.folders = new JobFolders(state);
    this.#report = report;
    this.#ids = new JobIds(this.folders.counter, report, () => this.#newestId());
  }

  /** Throws, with nothing changed, when it cannot be written. */
  create({ spec, retry_of, inc, awaits, ...said }: NewJob): JobEntry {
    const id = this.#ids.take();
    const fresh: Omit<JobEntry, "of"> = {
      id,
      project: said.project,
      service_id: said.service_id,
      action_id: said.action_id,
      ...(said.inline ? { inline: true } : {}),
      trigger: said.trigger,
      retry_of: retry_of ?? null,
      attempt: 1,
      phase: "pending",
      pid: null,
      exit_code: null,
      signal: null,
      created_at: Date.now(),
      started_at: null,
      ended_at: null,
      error: null,
      tags: [...said.tags],
      ...(awaits === undefined ? {} : { awaits: [...awaits] }),
      boot: bootId(),
      ...withoutUndefined({ inc }),
    };
    // Made before its line, so that the next agent looks for whatever has one. A server has run folders of its own.
    if (isMainJob(fresh)) this.folders.make(fresh);
    else this.folders.makeRun(fresh);
    try {
      const entry = this.#journal(said).create(fresh, spec);
      this.#open.set(id, entry);
      return entry;
    } catch (error) {
      if (!isMainJob(fresh)) this.folders.removeRun(fresh);
      throw error;
    }
  }

  /** What became of a job that is not over. Not writing it down would not undo it: then it is only reported. */
  update(id: number, patch: JobPatch): JobEntry {
    const before = this.#open.get(id);
    if (!before) throw new Error(`job ${id} is over, or was never begun`);
    const entry: JobEntry = { ...before, ...patch };
    const journal = this.#journal(before);
    if (isOver(entry)) this.#open.delete(id);
    else this.#open.set(id, entry);
    try {
      this.folders.make(before);
      journal.update(id, patch);
      if (isOver(entry))
        this.#dropLogs(
          before,
          journal.compact((one) => this.#open.has(one)),
        );
    } catch (error) {
      this.#report(`cannot record what happened to job ${id}: ${String(error)}`);
    }
    return entry;
  }

  /** Takes up a job that an earlier agent left unfinished. */
  adopt(entry: JobEntry): void {
    this.#open.set(entry.id, entry);
  }

  get nextId(): number {
    return this.#ids.next;
  }

  /** Newest first. Gives way to others between two journals: there may be many. */
  async list(query: JobQuery): Promise<{ jobs: JobEntry[]; next: number | null }> {
    let found: JobEntry[] = [];
    for (const journal of this.#journalsOf(query)) {
      const least = found.length > query.limit ? (found.at(-1)?.id ?? 0) : 0;
      const fresh = this.#orElse([], () => this.#someOf(journal, query, least));
      found = [...found, ...fresh].sort((a, b) => b.id - a.id).slice(0, query.limit + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const jobs = found.slice(0, query.limit);
    return { jobs, next: found.length > query.limit ? (jobs.at(-1)?.id ?? null) : null };
  }

  async find(id: number): Promise<{ entry: JobEntry; spec: JobSpec | null } | undefined> {
    const open = this.#open.get(id);
    if (open) return this.#journal(open).find(id) ?? { entry: open, spec: null };
    for (const journal of this.#journalsOf({})) {
      const found = this.#orElse(undefined, () => journal.find(id));
      if (found) return { ...found, entry: this.#asItIs(found.entry) };
      await new Promise((resolve) => setImmediate(resolve));
    }
    return undefined;
  }

  /** The newest job of an action, or of a server's own program. */
  newestOf(owner: Owner): JobEntry | undefined {
    return this.#orElse(undefined, () => {
      for (const entry of this.#journal(owner).entries())
        if (entry.action_id === owner.action_id) return entry;
      return undefined;
    });
  }

  /** The job after this one of the same server and action. */
  nextOf(entry: JobEntry): JobEntry | undefined {
    let next: JobEntry | undefined;
    for (const one of this.#journal(entry).entries()) {
      if (one.id <= entry.id) return next;
      if (one.action_id === entry.action_id) next = one;
    }
    return next;
  }

  /** Projects in which a server of that name has jobs. */
  projectsWith(server: string): string[] {
    return this.folders.owners({ server }).map(({ project }) => project);
  }

  /** A job that is over, with its log. */
  delete(entry: JobEntry): void {
    this.#journal(entry).delete(entry.id);
    this.#dropLogs(entry, [entry.id]);
  }

  /** Of a server: all that is over, with its logs. Returns how many. */
  deleteOver(project: string, server: string, below: number): number {
    const owner = serverOwner(project, server);
    const gone = this.#journal(owner).rewrite(({ id }) => this.#open.has(id) || id >= below);
    this.#dropLogs(owner, gone);
    return gone.length;
  }

  /** All jobs of an action whose server has others. They must be over. */
  deleteAction(owner: Owner): void {
    const gone = this.#journal(owner).rewrite((entry) => entry.action_id !== owner.action_id);
    this.#dropLogs(owner, gone);
  }

  /** How many jobs an owner has. */
  count(owner: Owner): number {
    return [...this.#journal(owner).entries()].length;
  }

  /** Everything of an owner: it is no more. What is not over must have been ended. */
  forget(owner: Owner): void {
    this.#journals.delete(ownerKey(owner));
    fs.rmSync(this.folders.of(owner), { recursive: true, force: true });
  }

  /** Jobs of actions that an earlier agent left unfinished. `entry` undefined: its record cannot be read, or is over. */
  leftOver(): LeftOver[] {
    return this.folders.owners({}).flatMap((owner) =>
      this.#orElse([], () =>
        this.folders.runsOf(owner).map((id) => {
          const found = this.#journal(owner).find(id);
          const entry = found && !isOver(found.entry) ? found.entry : undefined;
          return { job: { ...owner, id }, entry, spec: found?.spec ?? null };
        }),
      ),
    );
  }

  /** The newest that fit, one more than are wanted at most, and none older than can matter. */
  #someOf(journal: Journal, query: JobQuery, least: number): JobEntry[] {
    const found: JobEntry[] = [];
    for (const written of journal.entries()) {
      if (found.length > query.limit || written.id <= least) break;
      const entry = this.#asItIs(written);
      if (fits(entry, query)) found.push(entry);
    }
    return found;
  }

  /** One that is written down as not over, and is not: its end could not be written, on a full disk perhaps. */
  #asItIs(entry: JobEntry): JobEntry {
    if (isOver(entry) || this.#open.has(entry.id)) return entry;
    const error =
      entry.started_at === null
        ? "it never began: it could not be started, and that could not be recorded"
        : "how it ended could not be recorded";
    return { ...entry, phase: "failed", pid: null, error };
  }

  #dropLogs(owner: Owner, ids: readonly number[]): void {
    for (const id of ids) {
      try {
        fs.rmSync(this.folders.log({ ...owner, id }), { recursive: true, force: true });
      } catch (error) {
        this.#report(`cannot remove the log of job ${id}: ${String(error)}`);
      }
    }
  }

  #journal(owner: Owner): Journal {
    const key = ownerKey(owner);
    const known = this.#journals.get(key);
    if (known) return known;
    const isOurs = (job: Job) =>
      job.project === owner.project &&
      job.service_id === owner.service_id &&
      job.inline === owner.inline &&
      (owner.service_id !== null || owner.inline === true || job.action_id === owner.action_id);
    const journal = new Journal(this.folders.journal(owner), isOurs, this.#report);
    this.#journals.set(key, journal);
    return journal;
  }

  #journalsOf(query: OwnerQuery): Journal[] {
    return this.folders.owners(query).map((owner) => this.#journal(owner));
  }

  #newestId(): number {
    const newest = this.#journalsOf({}).map((journal) =>
      this.#orElse(0, () => journal.entries().next().value?.id ?? 0),
    );
    return Math.max(0, ...newest);
  }

  /** What cannot be opened, somebody's folder perhaps, costs its own jobs and no others. */
  #orElse<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#report(`cannot read jobs: ${String(error)}`);
      return otherwise;
    }
  }
}

function fits(entry: JobEntry, { action, phase, tag, since_unix_ms: since, cursor }: JobQuery): boolean {
  return (
    (action === undefined || entry.action_id === action) &&
    (phase === undefined || entry.phase === phase) &&
    (tag === undefined || entry.tags.includes(tag)) &&
    (since === undefined || entry.created_at >= since) &&
    (cursor === undefined || entry.id < cursor)
  );
}

/** What others see of a job. */
export function publicJob(entry: JobEntry): Job {
  const {
    of: _,
    boot: _boot,
    process: _process,
    inc: _inc,
    ending: _ending,
    next_at: _next,
    ...shown
  } = entry;
  return shown;
}
