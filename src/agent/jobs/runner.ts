import { type ActionSpec, actionKey } from "../../model/action.ts";
import type { Job, JobSpec } from "../../model/job.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { bootId } from "../../system/processes.ts";
import { endStrayRun } from "../process-host.ts";
import type { JobBook, LeftOver } from "./book.ts";
import { type Owner, ownerKey } from "./folders.ts";
import { JobRun } from "./job-run.ts";
import type { JobEntry } from "./journal.ts";
import { MACHINE_DOWN } from "./main-jobs.ts";

/** Jobs that run at once; the others wait for their turn. */
const MOST_AT_ONCE = 32;
/** Jobs that wait at most, for their turn or for their next attempt. */
const MOST_WAITING = 10_000;
/** Longest wait for the end of a job that was told to end, beyond its grace, ms. */
const END_BOUND = 20_000;

export interface RunRequest {
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
  readonly trigger: Job["trigger"];
  readonly retry_of?: number;
}

/** Runs actions: who may run beside whom, how many at once, and what an earlier agent left. */
export class Runner {
  readonly #book: JobBook;
  readonly #report: (message: string) => void;
  readonly #runs = new Map<number, JobRun>();
  /** The same by server, or by action that stands alone. */
  readonly #byOwner = new Map<string, Set<JobRun>>();
  /** Those of which an attempt is due, in that order. */
  readonly #waiting = new Set<JobRun>();
  /** Those of which an attempt runs. */
  readonly #busy = new Set<JobRun>();
  /** What an earlier agent left is taken up, and nothing may begin before. */
  #adopting = true;
  #ending = false;

  constructor(book: JobBook, report: (message: string) => void) {
    this.#book = book;
    this.#report = report;
  }

  find(id: number): JobRun | undefined {
    return this.#runs.get(id);
  }

  /** Creates a job, and begins it as soon as it may. Throws, with nothing done, when it may not be. */
  run({ spec, secrets, trigger, retry_of }: RunRequest): JobEntry {
    const isFree = spec.concurrency === "allow";
    const others = isFree
      ? []
      : this.#runsOf(ownerOf(spec)).filter(({ entry }) => entry.action_id === spec.name);
    this.#refuse(spec, others);
    const said = { ...ownerOf(spec), trigger, tags: spec.tags, spec };
    const entry = this.#book.create(retry_of === undefined ? said : { ...said, retry_of });
    const run = this.#take(entry, spec, secrets);
    if (spec.concurrency === "replace")
      for (const other of others) other.cancel(`job ${entry.id} took its place`);
    this.#due(run);
    return run.entry;
  }

  #refuse(spec: ActionSpec, others: readonly JobRun[]): void {
    const key = actionKey(spec);
    if (this.#ending)
      throw new RpcError(RPC_ERRORS.internalError, `cannot run ${key}: the agent is being stopped`);
    const [other] = others;
    if (other && spec.concurrency === "forbid")
      throw new RpcError(
        RPC_ERRORS.alreadyRunning,
        `cannot run ${key}: job ${other.entry.id} of it is not over; cancel that, or declare another concurrency`,
      );
    if (this.#runs.size - this.#busy.size >= MOST_WAITING)
      throw new RpcError(
        RPC_ERRORS.internalError,
        `cannot run ${key}: ${MOST_WAITING} jobs wait for their turn already`,
      );
  }

  #take(entry: JobEntry, spec: ActionSpec, secrets: SecretValues): JobRun {
    const run = new JobRun(entry, {
      book: this.#book,
      spec,
      secrets,
      report: this.#report,
      over: (one) => {
        this.#runs.delete(one.entry.id);
        this.#waiting.delete(one);
        own.delete(one);
        if (own.size === 0) this.#byOwner.delete(ownerKey(entry));
        this.#rested(one);
      },
      resting: (one) => this.#rested(one),
      due: (one) => this.#due(one),
    });
    const own = this.#byOwner.get(ownerKey(entry)) ?? new Set();
    this.#byOwner.set(ownerKey(entry), own.add(run));
    this.#runs.set(entry.id, run);
    return run;
  }

  #due(run: JobRun): void {
    this.#waiting.add(run);
    this.#beginNext();
  }

  #rested(run: JobRun): void {
    this.#busy.delete(run);
    this.#beginNext();
  }

  /** Whoever is to take another's place begins once that is gone. */
  #beginNext(): void {
    if (this.#adopting || this.#ending) return;
    for (const run of this.#waiting) {
      if (this.#busy.size >= MOST_AT_ONCE) return;
      if (run.spec.concurrency === "replace" && this.#hasElder(run)) continue;
      this.#waiting.delete(run);
      this.#busy.add(run);
      run.begin();
    }
  }

  #hasElder({ entry }: JobRun): boolean {
    return this.#runsOf(entry).some(
      ({ entry: other }) => other.action_id === entry.action_id && other.id < entry.id,
    );
  }

  #runsOf(owner: Owner): JobRun[] {
    return [...(this.#byOwner.get(ownerKey(owner)) ?? [])];
  }

  /** False: it was over. Settles when it is. */
  async cancel(id: number, error: string): Promise<boolean> {
    const run = this.#runs.get(id);
    if (!run) return false;
    await this.#end([run], error);
    return true;
  }

  /** Of a server: all of its actions. Of an action: what runs of that. False: not all of it could be ended. */
  async cancelAllOf(owner: Owner, action: string | undefined, error: string): Promise<boolean> {
    const runs = this.#runsOf(owner);
    return this.#end(
      runs.filter(({ entry }) => action === undefined || entry.action_id === action),
      error,
    );
  }

  async #end(runs: readonly JobRun[], error: string): Promise<boolean> {
    for (const run of runs) run.cancel(error);
    const ends = runs.map((run) => run.until(({ isOver: over }) => over, run.spec.grace + END_BOUND));
    return (await Promise.all(ends)).every(Boolean);
  }

  /** Takes up what an earlier agent left unfinished. `secretsOf`: values of an action's secrets, as they are now. */
  async adoptAll(secretsOf: (spec: ActionSpec) => SecretValues): Promise<void> {
    for (const left of this.#book.leftOver()) {
      try {
        await this.#adopt(left, secretsOf);
      } catch (error) {
        this.#report(`cannot take up job ${left.job.id}: ${String(error)}`);
        this.#runs.get(left.job.id)?.cancel(`cannot be taken up: ${String(error)}`);
      }
    }
    this.#adopting = false;
    this.#beginNext();
  }

  async #adopt({ job, entry, spec }: LeftOver, secretsOf: (spec: ActionSpec) => SecretValues): Promise<void> {
    if (!entry) return this.#endStray(job);
    this.#book.adopt(entry);
    if (!isAction(spec)) return this.#lost(entry, "what it ran cannot be read");
    if (entry.boot !== bootId()) return this.#lost(entry, MACHINE_DOWN);
    const run = this.#take(entry, spec, secretsOf(spec));
    if (await run.adopt()) this.#busy.add(run);
  }

  /** Nothing is known of it any more: what a keeper proves to be ours is ended, since nobody would look after it. */
  async #endStray(job: LeftOver["job"]): Promise<void> {
    for (const dir of this.#book.folders.attempts(job))
      if (await endStrayRun(dir))
        this.#report(`job ${job.id} runs and has no record that can be read: it is killed`);
    this.#book.folders.removeRun(job);
  }

  #lost(entry: JobEntry, error: string): void {
    this.#book.update(entry.id, { phase: "failed", error, pid: null, process: null, ended_at: Date.now() });
    this.#book.folders.removeRun(entry);
  }

  /** The agent goes down, and what runs goes with it. */
  async stopAll(): Promise<void> {
    this.#ending = true;
    await this.#end([...this.#runs.values()], "the agent was stopped");
  }

  detachAll(): void {
    this.#ending = true;
    for (const run of this.#runs.values()) run.detach();
  }
}

export function ownerOf({ project, server, name }: ActionSpec): Owner {
  return { project, service_id: server, action_id: name };
}

export function isAction(spec: JobSpec | null): spec is ActionSpec {
  return spec !== null && "concurrency" in spec;
}
