import { join } from "node:path";
import { type ActionSpec, actionKey } from "../../model/action.ts";
import { isMainJob, isOver, type Job } from "../../model/job.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { Survivor } from "../../system/survivors.ts";
import type { LogSource } from "../logs/log-stream.ts";
import { wholeAction } from "../operations/whole-spec.ts";
import type { RunFolders } from "../runs/run-folders.ts";
import type { Supervised } from "../servers/supervised.ts";
import { Actions, type AppliedAction } from "./actions.ts";
import { JobBook, publicJob } from "./book.ts";
import { inlineOwner, serverOwner } from "./folders.ts";
import { isAction } from "./left-over.ts";
import { type FindServer, JobLogs } from "./logs.ts";
import { MainJobs } from "./main-jobs.ts";
import { jobQueryOf } from "./query.ts";
import { ownerOf, Runner } from "./runner.ts";
import { cronOf, Scheduler } from "./scheduler.ts";

interface JobsOptions {
  readonly state: string;
  readonly report: (message: string) => void;
  readonly runFolders: RunFolders;
  readonly findServer: FindServer;
}

/** Everything about jobs and actions that this agent does. */
export class Jobs {
  readonly main: MainJobs;
  readonly #book: JobBook;
  readonly #runner: Runner;
  readonly #actions: Actions;
  readonly #scheduler: Scheduler;
  readonly #findServer: FindServer;
  readonly #logs: JobLogs;

  constructor({ state, report, runFolders, findServer }: JobsOptions) {
    this.#book = new JobBook(state, report);
    this.main = new MainJobs(this.#book, report);
    this.#runner = new Runner(this.#book, report, runFolders);
    this.#actions = new Actions(state, report);
    this.#findServer = findServer;
    this.#logs = new JobLogs(this.#book, this.#actions, findServer);
    this.#scheduler = new Scheduler({
      state,
      report,
      run: (spec, trigger) => this.#run(spec, trigger),
      newest: (spec) => this.#newestScheduled(spec),
    });
  }

  /**
   * Takes up what earlier agents left, and begins to look at the schedules. `survivors`: what runs of jobs, whatever is
   * recorded of them.
   */
  async begin(survivors: readonly Survivor[]): Promise<void> {
    this.#actions.readAll();
    await this.#runner.adoptAll((spec, { inline }) => (inline ? {} : this.#secretsOf(spec)), survivors);
    for (const project of new Set(this.#actions.all().map(({ spec }) => spec.project)))
      this.#schedule(project);
  }

  async stopAll(): Promise<void> {
    this.#scheduler.close();
    await this.#runner.stopAll();
  }

  detachAll(): void {
    this.#scheduler.close();
    this.#runner.detachAll();
  }

  // --- actions ----------------------------------------------------------------------------------------------------

  list({ project }: ParsedParams<"action_list">): ResultOf<"action_list"> {
    return this.#actions
      .all(project)
      .map(({ spec }) => ({ spec, next_run_unix_ms: this.#scheduler.nextRun(spec) }));
  }

  async apply({
    project,
    set,
    secrets,
    remove,
  }: ParsedParams<"action_apply">): Promise<ResultOf<"action_apply">> {
    const foreign = set.find((spec) => spec.project !== project);
    if (foreign)
      throw new RpcError(
        RPC_ERRORS.invalidParams,
        `cannot apply: ${actionKey(foreign)} is of ${foreign.project}`,
      );
    for (const spec of set) refuseSchedule(spec);
    const gone = this.#actions.apply(project, set, secrets, remove);
    this.#schedule(project);
    await this.#forgetActions(gone);
    return { actions: this.#actions.all(project).length };
  }

  run({ action, server, project, args }: ParsedParams<"action_run">): Job {
    const { spec, secrets } = this.#actions.get({ name: action, server }, project);
    const whole = args.length === 0 ? spec : { ...spec, args: [...spec.args, ...args] };
    return publicJob(this.#runInOrder({ spec: whole, secrets }, "person"));
  }

  /** What a person has typed. Nothing is remembered of it but the job. */
  async runInline({ project, spec }: ParsedParams<"job_run">): Promise<Job> {
    const whole = await wholeAction(project, spec);
    return publicJob(this.#runner.run([{ spec: whole, secrets: {}, trigger: "person", inline: true }]));
  }

  /** With those that it comes after. */
  #runInOrder(asked: AppliedAction, trigger: Job["trigger"]) {
    const all = [...this.#actions.before(asked.spec), asked];
    return this.#runner.run(all.map((one) => ({ ...one, trigger })));
  }

  // --- jobs -------------------------------------------------------------------------------------------------------

  async jobs(params: ParsedParams<"job_list">): Promise<ResultOf<"job_list">> {
    const { jobs, next } = await this.#book.list(jobQueryOf(params));
    return { jobs: jobs.map(publicJob), next_cursor: next };
  }

  async get({ id }: ParsedParams<"job_get">): Promise<ResultOf<"job_get">> {
    const { entry, spec } = await this.#find(id);
    return { ...publicJob(entry), spec, log_path: join(this.#logs.dir(entry), "current.log") };
  }

  /** Settles when the job is over. */
  async cancel({ id }: ParsedParams<"job_cancel">): Promise<ResultOf<"job_cancel">> {
    const { entry } = await this.#find(id);
    if (isMainJob(entry) && !isOver(entry))
      throw new RpcError(
        RPC_ERRORS.invalidParams,
        `cannot cancel job ${id}: it is ${entry.service_id} itself; stop that`,
      );
    return { cancelled: await this.#runner.cancel(id, "a person cancelled it") };
  }

  async retry({ id }: ParsedParams<"job_retry">): Promise<Job> {
    const { entry, spec } = await this.#find(id);
    const refuse = (code: number, why: string): never => {
      throw new RpcError(code, `cannot retry job ${id}: ${why}`);
    };
    if (isMainJob(entry))
      return refuse(RPC_ERRORS.invalidParams, `it is ${entry.service_id} itself; restart that`);
    if (!isOver(entry)) return refuse(RPC_ERRORS.alreadyRunning, `it has not ended; cancel it first`);
    if (!isAction(spec)) return refuse(RPC_ERRORS.jobNotFound, "what it ran cannot be read");
    const { inline } = entry;
    if (!inline && !this.#actions.find(spec.project, actionKey(spec)))
      return refuse(RPC_ERRORS.actionNotFound, `action ${actionKey(spec)} is no longer declared`);
    const secrets = inline ? {} : this.#secretsOf(spec);
    return publicJob(this.#runner.run([{ spec, secrets, trigger: "retry", retry_of: id, inline }]));
  }

  async delete(params: ParsedParams<"job_delete">): Promise<ResultOf<"job_delete">> {
    if ("id" in params) {
      const { entry } = await this.#find(params.id);
      if (!isOver(entry))
        throw new RpcError(
          RPC_ERRORS.alreadyRunning,
          `cannot delete job ${entry.id}: it has not ended; cancel it first`,
        );
      this.#book.delete(entry);
      return { deleted: 1 };
    }
    const { server, cancel } = params;
    const project = params.project ?? (await this.#projectOf(server));
    if (cancel) await this.cancelActionsOf(project, server);
    return { deleted: this.deleteOver(project, server) };
  }

  /** All that was typed in a project: what still runs is ended. */
  async clear({ project }: ParsedParams<"job_clear">): Promise<ResultOf<"job_clear">> {
    const owner = inlineOwner(project);
    // What is typed meanwhile is there too.
    for (let tries = 0; this.#runner.runs(owner); tries++)
      if (tries === 3 || !(await this.#runner.cancelAllOf(owner, undefined, `project ${project} is removed`)))
        throw new RpcError(
          RPC_ERRORS.internalError,
          `cannot remove the jobs of project ${project}: some are still running; try again once they have ended`,
        );
    const deleted = this.#book.count(owner);
    this.#book.forget(owner);
    return { deleted };
  }

  /** What a job prints, to be followed. */
  async logOf(id: number): Promise<LogSource> {
    const { entry } = await this.#find(id);
    return this.#logs.of(entry, this.#runner.find(id));
  }

  // --- for the servers --------------------------------------------------------------------------------------------

  /** What is left of the jobs of a server's actions. Settles when it is over; false when that takes too long. */
  cancelActionsOf(project: string, server: string): Promise<boolean> {
    return this.#runner.cancelAllOf(
      serverOwner(project, server),
      undefined,
      `${server} was started again, or stopped`,
    );
  }

  /** Deletes what is over of a server's jobs, or those of it with smaller ids alone. Returns how many. */
  deleteOver(project: string, server: string, below = Number.POSITIVE_INFINITY): number {
    return this.#book.deleteOver(project, server, below);
  }

  /** The next job's. */
  get nextId(): number {
    return this.#book.nextId;
  }

  /** The server is gone. Its actions are, too, if they are not declared for what runs it now. */
  async forgetServer(server: Supervised): Promise<void> {
    const { project, name } = server.spec;
    this.main.forget(server);
    if (this.#hasActions(project, name)) return;
    const ended = await this.cancelActionsOf(project, name);
    if (ended && !this.#isKept(project, name)) this.#book.forget(serverOwner(project, name));
  }

  // ----------------------------------------------------------------------------------------------------------------

  #run(spec: ActionSpec, trigger: Job["trigger"]): void {
    this.#runInOrder({ spec, secrets: this.#secretsOf(spec) }, trigger);
  }

  #secretsOf(spec: ActionSpec) {
    return this.#actions.find(spec.project, actionKey(spec))?.secrets ?? {};
  }

  #schedule(project: string): void {
    this.#scheduler.set(
      project,
      this.#actions.all(project).map(({ spec }) => spec),
    );
  }

  #newestScheduled(spec: ActionSpec): number | undefined {
    const newest = this.#book.newestOf(ownerOf(spec));
    return newest?.trigger === "schedule" || newest?.trigger === "missed" ? newest.created_at : undefined;
  }

  /** All of them are ended before anything is deleted: actions of one server share a folder. */
  async #forgetActions(gone: readonly ActionSpec[]): Promise<void> {
    const ended = await Promise.all(
      gone.map((spec) => this.#runner.cancelAllOf(ownerOf(spec), spec.name, "it is no longer declared")),
    );
    for (const [i, spec] of gone.entries()) {
      // What could not be stopped must stay on record; what was declared again meanwhile may run.
      if (!ended[i] || this.#actions.find(spec.project, actionKey(spec))) continue;
      if (spec.server !== null && this.#isKept(spec.project, spec.server))
        this.#book.deleteAction(ownerOf(spec));
      else this.#book.forget(ownerOf(spec));
    }
  }

  #isKept(project: string, server: string): boolean {
    return this.#findServer(server, project) !== undefined || this.#hasActions(project, server);
  }

  #hasActions(project: string, server: string): boolean {
    return this.#actions.all(project).some(({ spec }) => spec.server === server);
  }

  async #find(id: number) {
    const found = await this.#book.find(id);
    if (found) return found;
    throw new RpcError(
      RPC_ERRORS.jobNotFound,
      `cannot find job ${id}: \`xy jobs\` lists the jobs that are kept`,
    );
  }

  async #projectOf(server: string): Promise<string> {
    const projects = this.#book.projectsWith(server);
    const [first] = projects;
    if (projects.length === 1 && first !== undefined) return first;
    throw new RpcError(
      projects.length === 0 ? RPC_ERRORS.serverNotFound : RPC_ERRORS.invalidParams,
      projects.length === 0
        ? `cannot find jobs of server ${server}`
        : `cannot tell which ${server} is meant: projects ${projects.join(", ")} have one`,
    );
  }
}

function refuseSchedule({ schedule, ...spec }: ActionSpec): void {
  try {
    if (schedule !== null) cronOf(schedule);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RpcError(RPC_ERRORS.invalidParams, `cannot apply the schedule of ${actionKey(spec)}: ${why}`);
  }
}
