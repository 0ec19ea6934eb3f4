import { type ActionSpec, actionKey } from "../../model/action.ts";
import type { Job } from "../../model/job.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { Survivor } from "../../system/survivors.ts";
import type { RunFolders } from "../runs/run-folders.ts";
import type { JobBook } from "./book.ts";
import { type Owner, ownerKey } from "./folders.ts";
import { JobRun } from "./job-run.ts";
import type { JobEntry } from "./journal.ts";
import { adoptJobs, whyNot } from "./left-over.ts";

/** Jobs that run at once; the others wait for their turn. */
const MOST_AT_ONCE = 32;
/** Jobs that wait at most, for their turn or for their next attempt. */
const MOST_WAITING = 10_000;
/** Jobs of one run at most. */
const MOST_IN_RUN = 1000;
/** Longest wait for a cancelled job to exit, beyond its grace, ms. */
const END_BOUND = 20_000;

export interface RunRequest {
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
  readonly trigger: Job["trigger"];
  readonly retry_of?: number;
  /** It is what a person has typed: no action of that name has anything to do with it. */
  readonly inline?: true | undefined;
}

/** The values of the secrets of an action. */
type SecretsOf = (spec: ActionSpec, entry: JobEntry) => SecretValues;

/** Runs actions: who may run beside whom, how many at once, and what an earlier agent left. */
export class Runner {
  readonly #book: JobBook;
  readonly #report: (message: string) => void;
  readonly #runFolders: RunFolders;
  readonly #runs = new Map<number, JobRun>();
  /** The same by server, or by action that stands alone. */
  readonly #byOwner = new Map<string, Set<JobRun>>();
  /** Those of which an attempt is due, in that order. */
  readonly #waiting = new Set<JobRun>();
  /** Those of which an attempt runs. */
  readonly #busy = new Set<JobRun>();
  /** What an earlier agent left is being adopted, and nothing may begin before. */
  #adopting = true;
  #ending = false;

  constructor(book: JobBook, report: (message: string) => void, runFolders: RunFolders) {
    this.#book = book;
    this.#report = report;
    this.#runFolders = runFolders;
  }

  find(id: number): JobRun | undefined {
    return this.#runs.get(id);
  }

  /**
   * Creates the jobs of one run, and begins each as soon as it may: when those that it comes after, which stand before
   * it, have succeeded. Answers with the last one. Throws, with nothing done, when one of them may not be.
   */
  run(requests: readonly RunRequest[]): JobEntry {
    const asked = requests.at(-1);
    if (asked === undefined) throw new Error("a run of nothing");
    for (const { spec } of requests) this.#refuse(spec, this.#rivalsOf(spec), asked.spec);
    if (requests.length > MOST_IN_RUN)
      throw new RpcError(
        RPC_ERRORS.invalidParams,
        `cannot run ${actionKey(asked.spec)}: more than ${MOST_IN_RUN - 1} others run before it`,
      );
    const ids = new Map<string, number>();
    const runs: JobRun[] = [];
    try {
      for (const request of requests) {
        const run = this.#create(request, ids);
        runs.push(run);
        ids.set(actionKey(request.spec), run.entry.id);
      }
    } catch (error) {
      for (const run of runs) run.cancel("the other jobs of its run could not be created");
      throw error;
    }
    // All are there before the first begins, which may be over at once.
    for (const run of runs) this.#due(run);
    return (runs.at(-1) as JobRun).entry;
  }

  #create(
    { spec, secrets, trigger, retry_of, inline }: RunRequest,
    ids: ReadonlyMap<string, number>,
  ): JobRun {
    const rivals = this.#rivalsOf(spec);
    const awaits = (spec.after ?? []).flatMap((key) => ids.get(key) ?? []);
    const entry = this.#book.create({
      ...ownerOf(spec),
      ...(inline ? { inline } : {}),
      ...{ trigger, tags: spec.tags, spec },
      ...withoutUndefined({ retry_of }),
      ...(awaits.length === 0 ? {} : { awaits }),
    });
    const run = this.#take(entry, spec, secrets);
    if (spec.concurrency === "replace")
      for (const rival of rivals) rival.cancel(`job ${entry.id} took its place`);
    return run;
  }

  /** What may be in the way of another job of the same action. */
  #rivalsOf(spec: ActionSpec): JobRun[] {
    if (spec.concurrency === "allow") return [];
    return this.#runsOf(ownerOf(spec)).filter(({ entry }) => entry.action_id === spec.name);
  }

  #refuse(spec: ActionSpec, others: readonly JobRun[], asked: ActionSpec): void {
    const key = actionKey(asked);
    if (this.#ending)
      throw new RpcError(RPC_ERRORS.internalError, `cannot run ${key}: the agent is being stopped`);
    const [other] = others;
    if (other && spec.concurrency === "forbid")
      throw new RpcError(
        RPC_ERRORS.alreadyRunning,
        `cannot run ${key}: job ${other.entry.id} of ${spec === asked ? "it" : `${actionKey(spec)}, which comes before it,`} has not ended; cancel that, or declare another concurrency`,
      );
    if (this.#runs.size - this.#busy.size >= MOST_WAITING)
      throw new RpcError(
        RPC_ERRORS.internalError,
        `cannot run ${key}: ${MOST_WAITING} jobs are already waiting for their turn`,
      );
  }

  #take(entry: JobEntry, spec: ActionSpec, secrets: SecretValues): JobRun {
    const run = new JobRun(entry, {
      book: this.#book,
      runFolders: this.#runFolders,
      spec,
      secrets,
      report: this.#report,
      over: (one) => {
        this.#runs.delete(one.entry.id);
        this.#waiting.delete(one);
        own.delete(one);
        if (own.size === 0) this.#byOwner.delete(ownerKey(entry));
        this.#followed(one.entry);
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

  /** What is left of its run, when it did not succeed: nothing that comes after it begins. */
  #followed(ended: JobEntry): void {
    if (ended.phase === "succeeded") return;
    const how = whyNot(ended);
    for (const run of [...this.#runs.values()]) if (run.entry.awaits?.includes(ended.id)) run.giveUp(how);
    // Nobody needs what only it was waiting for.
    if (ended.phase === "cancelled")
      for (const id of ended.awaits ?? []) this.#runs.get(id)?.cancel(how.error);
  }

  #isAwaiting({ entry }: JobRun): boolean {
    return entry.awaits?.some((id) => this.#runs.has(id)) ?? false;
  }

  #due(run: JobRun): void {
    if (run.isOver) return;
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
      if (this.#isAwaiting(run)) continue;
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

  /** Whether a job of it is not over. */
  runs(owner: Owner): boolean {
    return this.#byOwner.has(ownerKey(owner));
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
    const ends = runs.map((run) => run.changes.until(() => run.isOver, run.spec.grace + END_BOUND));
    return (await Promise.all(ends)).every(Boolean);
  }

  /** Adopts what an earlier agent left unfinished. `secretsOf`: the values of an action's secrets, as they are now. */
  async adoptAll(secretsOf: SecretsOf, survivors: readonly Survivor[]): Promise<void> {
    const take = (entry: JobEntry, spec: ActionSpec) => this.#take(entry, spec, secretsOf(spec, entry));
    const adopted = { runs: this.#runs, busy: this.#busy, take };
    await adoptJobs({ book: this.#book, report: this.#report, ...adopted }, survivors);
    this.#adopting = false;
    this.#beginNext();
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
