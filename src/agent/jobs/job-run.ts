import * as fs from "node:fs";
import { join } from "node:path";
import type { ActionSpec } from "../../model/action.ts";
import { SpawnError } from "../../model/environment.ts";
import { isOver, jobLabel } from "../../model/job.ts";
import type { Exit } from "../../model/observed.ts";
import type { SecretValues } from "../../model/spec.ts";
import { formatDuration } from "../../model/units.ts";
import { type AfterAttempt, afterAttempt, type Outcome } from "../../supervisor/attempts.ts";
import type { MachineEvent, SupervisedSpec } from "../../supervisor/machine.ts";
import { initialState, isLive, type ServerState } from "../../supervisor/state.ts";
import { numbersIn } from "../../system/files.ts";
import { ensurePrivateDir } from "../../system/paths.ts";
import { Driven } from "../driven.ts";
import type { Incarnation, IncarnationEvents } from "../incarnation.ts";
import { LogWriter } from "../log-writer.ts";
import { adoptIncarnation, spawnIncarnation } from "../process-host.ts";
import { hasKeeper } from "../run-folder.ts";
import type { JobBook } from "./book.ts";
import type { Ending, JobEntry } from "./journal.ts";
import { exitFields, UNSEEN } from "./main-jobs.ts";

export interface JobRunOptions {
  readonly book: JobBook;
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
  readonly report: (message: string) => void;
  /** It is over, and written down as that. */
  readonly over: (run: JobRun) => void;
}

/** What a job prints: a file, and one before it. */
const LOG_LIMITS = { maxSize: 10 * 1024 * 1024, keep: 1 };

/** Whether there is another attempt is not the machine's to decide. */
const NEVER: SupervisedSpec["restart"] = {
  policy: "never",
  backoffInitial: 0,
  backoffMax: 0,
  maxRetriesPerMinute: 0,
  resetAfter: 0,
  successExitCodes: [0],
};

/** A job of an action that is not over: one attempt after another, each an incarnation of the program. */
export class JobRun extends Driven {
  readonly spec: ActionSpec;
  readonly log: LogWriter;
  readonly #options: JobRunOptions;
  #entry: JobEntry;
  #exit: Exit | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #backoff: NodeJS.Timeout | undefined;
  /** An attempt was begun, and what follows it is not decided. */
  #isTrying = false;

  constructor(entry: JobEntry, options: JobRunOptions) {
    super();
    this.#entry = entry;
    this.#options = options;
    this.spec = options.spec;
    this.log = new LogWriter(options.book.logDir(entry), LOG_LIMITS);
  }

  get entry(): JobEntry {
    return this.#entry;
  }
  get isOver(): boolean {
    return isOver(this.#entry);
  }

  /** Makes the folder in which it runs: what is left of it tells the next agent that the job is not over. */
  prepare(): void {
    const dir = this.#options.book.runDir(this.#entry);
    ensurePrivateDir(dir);
    if (this.spec.script !== null) fs.writeFileSync(this.#scriptPath, this.spec.script, { mode: 0o700 });
  }

  begin(): void {
    if (this.isOver) return;
    this.#isTrying = true;
    this.#exit = undefined;
    this.dispatch({ type: "start" });
  }

  /** Asks it to end. It is over at once when nothing of it runs. */
  cancel(error: string): void {
    if (this.isOver) return;
    if (this.#entry.ending?.phase !== "cancelled") this.#update({ ending: { phase: "cancelled", error } });
    if (this.#isTrying) this.dispatch({ type: "stop" });
    else this.#follow({ kind: "over", phase: "cancelled", error });
  }

  /** Takes up what an earlier agent left. False: nothing of it runs, and nothing has of its next attempt. */
  async adopt(): Promise<boolean> {
    const { attempt, process, ending, started_at } = this.#entry;
    const newest = numbersIn(this.#options.book.runDir(this.#entry)).at(-1) ?? 0;
    // Somebody may have deleted the run folder under a living process.
    const trial = newest || attempt;
    const known = (trial === attempt && process) || undefined;
    const found =
      newest > 0 || known
        ? await adoptIncarnation(this.runPath(trial), known, this.log, this.eventsOf(trial))
        : undefined;
    if (!found) {
      // What it is told by: the attempt that is recorded as running, or none.
      if (ending) this.#follow({ kind: "over", ...ending });
      else if (process) this.#follow({ kind: "over", phase: "failed", error: UNSEEN });
      else this.beginWith({ ...initialState(Date.now()), inc: started_at === null ? 0 : attempt });
      return this.isOver;
    }
    this.#isTrying = true;
    this.beginWith({ ...initialState(Date.now()), inc: trial, phase: { tag: "starting" } });
    this.hold(found);
    // A keeper tells which process it is, as at a start.
    found.resume(hasKeeper(this.runPath(trial)) ? undefined : known);
    if (ending) this.dispatch({ type: "stop" });
    else if (known && started_at !== null) this.#bound(started_at);
    return true;
  }

  override detach(): void {
    clearTimeout(this.#timeout);
    clearTimeout(this.#backoff);
    super.detach();
    this.log.close();
  }

  protected override get machineSpec(): SupervisedSpec {
    const none = { type: "none" } as const;
    const stop = { grace: this.spec.grace, signal: "SIGTERM" } as const;
    return { restart: NEVER, stop, readiness: none, liveness: none };
  }

  protected override runPath(inc: number): string {
    return join(this.#options.book.runDir(this.#entry), String(inc));
  }

  protected override launch(inc: number, events: IncarnationEvents): Promise<Incarnation> {
    const { spec, log } = this;
    const args = spec.script === null ? spec.args : [...spec.interpreterArgs, this.#scriptPath, ...spec.args];
    const limits = { openFiles: spec.openFiles };
    const launched = { ...spec, args, limits, port: null, host: "", name: jobLabel(this.#entry) };
    return spawnIncarnation({
      dir: this.runPath(inc),
      spec: launched,
      secrets: this.#options.secrets,
      log,
      events,
    });
  }

  /** What is to be known of it after the death of this agent stands in the journal. */
  protected override record(): void {}

  protected override report(message: string): void {
    this.#options.report(`job ${this.#entry.id}: ${message}`);
  }

  protected override turned(event: MachineEvent, before: ServerState): void {
    if (!("inc" in event) || event.inc !== before.inc) return;
    if (event.type === "exited") {
      this.#exit = event.exit;
      // What it left behind has its grace, and takes nothing from its time.
      clearTimeout(this.#timeout);
    }
    if (event.type !== "spawned" || this.#entry.process?.pid === event.process.pid) return;
    const { process, at, inc } = event;
    const begun = { attempt: inc, pid: process.pid, process, started_at: at };
    this.#update({ ...begun, phase: "running", exit_code: null, signal: null, error: null });
    this.#bound(at);
  }

  protected override settled(): void {
    const { phase } = this.state;
    const isStuck = phase.tag === "failed" && phase.stuck;
    if (!this.#isTrying || (isLive(this.state) && !isStuck)) return;
    this.#isTrying = false;
    clearTimeout(this.#timeout);
    const { attempt } = this.#entry;
    this.#follow(
      isStuck
        ? { kind: "over", phase: "failed", error: "it cannot be killed" }
        : afterAttempt(attempt, this.#outcome(), this.spec.retries),
    );
  }

  #outcome(): Outcome {
    const { ending } = this.#entry;
    if (ending) return { kind: ending.phase === "cancelled" ? "cancelled" : "timeout", error: ending.error };
    const { spawnError } = this;
    if (spawnError instanceof SpawnError) return { kind: "not-started", error: spawnError.message };
    return { kind: "exit", exit: this.#exit ?? { kind: "unknown" } };
  }

  #follow(after: AfterAttempt): void {
    const ended = { pid: null, process: null, ...(this.#exit ? exitFields(this.#exit) : {}) };
    if (after.kind === "again") {
      const { ms, error } = after;
      this.#update({ ...ended, phase: "pending", ending: null, error });
      this.#backoff = setTimeout(() => this.begin(), ms);
      return;
    }
    clearTimeout(this.#timeout);
    clearTimeout(this.#backoff);
    const { phase, error } = after;
    this.#update({ ...ended, phase, error, ended_at: Date.now() });
    this.log.close();
    this.#tidy();
    this.#options.over(this);
    this.tellRemoved();
  }

  #tidy(): void {
    try {
      this.#options.book.endRun(this.#entry);
    } catch (error) {
      this.report(`cannot remove where it ran: ${String(error)}`);
    }
  }

  #bound(startedAt: number): void {
    const { timeout } = this.spec;
    if (timeout === null) return;
    clearTimeout(this.#timeout);
    const left = Math.max(0, startedAt + timeout - Date.now());
    this.#timeout = setTimeout(() => {
      const error = `not over after ${formatDuration(timeout)}`;
      const ending: Ending = { phase: "failed", error };
      this.#update({ ending });
      this.dispatch({ type: "stop" });
    }, left);
  }

  #update(patch: Parameters<JobBook["update"]>[1]): void {
    this.#entry = this.#options.book.update(this.#entry.id, patch);
  }

  get #scriptPath(): string {
    return join(this.#options.book.runDir(this.#entry), "script");
  }
}
