import * as fs from "node:fs";
import { join } from "node:path";
import type { ActionSpec } from "../../model/action.ts";
import { bareSpec } from "../../model/bare-spec.ts";
import { SpawnError } from "../../model/environment.ts";
import { isOver, jobLabel } from "../../model/job.ts";
import type { Exit } from "../../model/observed.ts";
import { Redactor } from "../../model/redact.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { formatDuration } from "../../model/units.ts";
import { type AfterAttempt, afterAttempt, type Outcome } from "../../supervisor/attempts.ts";
import type { MachineEvent, SupervisedSpec } from "../../supervisor/machine.ts";
import { initialState, mayLive, type ServerState } from "../../supervisor/state.ts";
import { numbersIn } from "../../system/files.ts";
import { LogWriter } from "../logs/log-writer.ts";
import { adoptIncarnation } from "../runs/adopting.ts";
import type { Changes } from "../runs/changes.ts";
import { Driven } from "../runs/driven.ts";
import type { Incarnation, IncarnationEvents } from "../runs/incarnation.ts";
import type { RunFolders } from "../runs/run-folders.ts";
import { spawnIncarnation } from "../runs/spawning.ts";
import type { JobBook } from "./book.ts";
import type { Ending, JobEntry } from "./journal.ts";
import { exitFields, exitIn, UNSEEN } from "./main-jobs.ts";

export interface JobRunOptions {
  readonly book: JobBook;
  readonly runFolders: RunFolders;
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
  readonly report: (message: string) => void;
  /** It is over, and written down as that. */
  readonly over: (run: JobRun) => void;
  /** An attempt is over, and another follows: until that is due, its place is free. */
  readonly resting: (run: JobRun) => void;
  /** An attempt is due: `begin` it when there is room. */
  readonly due: (run: JobRun) => void;
}

/** What a job prints: a file, and one before it. */
const LOG_LIMITS = { maxSize: 10 * 1024 * 1024, keep: 1 };

/** The state machine does not decide whether there is another attempt. */
const NEVER: SupervisedSpec["restart"] = {
  policy: "never",
  backoffInitial: 0,
  backoffMax: 0,
  maxRetriesPerMinute: 0,
  resetAfter: 0,
  successExitCodes: [0],
};

/** A job of an action that is not over: one attempt after another, each an incarnation of the program. */
export class JobRun {
  readonly spec: ActionSpec;
  readonly log: LogWriter;
  readonly #program: Driven;
  readonly #options: JobRunOptions;
  #entry: JobEntry;
  #exit: Exit | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #backoff: NodeJS.Timeout | undefined;
  /** An attempt was begun, and what follows it is not decided. */
  #isTrying = false;

  constructor(entry: JobEntry, options: JobRunOptions) {
    this.#entry = entry;
    this.#options = options;
    this.spec = options.spec;
    const report = (message: string) => this.#report(message);
    this.log = new LogWriter(options.book.folders.log(entry), LOG_LIMITS, { report });
    // Nothing is recorded at a step: what a later agent must know is in the journal.
    this.#program = new Driven({
      spec: () => this.#machineSpec,
      runPath: (inc) => this.#runPath(inc),
      launch: (inc, events) => this.#launch(inc, events),
      report,
      stepped: (event, before) => this.#stepped(event, before),
      settled: () => this.#settled(),
    });
  }

  /** Tells others what happens to it. */
  get changes(): Changes {
    return this.#program.changes;
  }

  get entry(): JobEntry {
    return this.#entry;
  }
  get isOver(): boolean {
    return isOver(this.#entry);
  }
  /** Of the secrets that it was given. */
  newRedactor(): Redactor {
    return new Redactor(this.#options.secrets, this.spec.env);
  }

  begin(): void {
    if (this.isOver) return;
    this.#isTrying = true;
    this.#exit = undefined;
    this.#program.dispatch({ type: "start" });
  }

  /** Asks it to end. It is over at once when nothing of it runs. */
  cancel(error: string): void {
    if (this.isOver) return;
    clearTimeout(this.#timeout);
    if (this.#entry.ending?.phase !== "cancelled") this.#update({ ending: { phase: "cancelled", error } });
    if (this.#isTrying) this.#program.dispatch({ type: "stop" });
    else this.#follow({ kind: "over", phase: "cancelled", error });
  }

  /** It is not to begin at all: what it waited for did not succeed. */
  giveUp(how: { readonly phase: "failed" | "cancelled"; readonly error: string }): void {
    if (!this.isOver && !this.#isTrying) this.#follow({ kind: "over", ...how });
  }

  /** Takes up what an earlier agent left. True: it runs. Otherwise it is over, or its next attempt will be due. */
  async adopt(): Promise<boolean> {
    const { attempt, process, ending, started_at } = this.#entry;
    const newest = numbersIn(this.#options.book.folders.run(this.#entry)).at(-1) ?? 0;
    // Somebody may have deleted the run folder under a living process.
    const trial = newest || attempt;
    const known = (trial === attempt && process) || undefined;
    const found =
      newest > 0 || known
        ? await adoptIncarnation(this.#runPath(trial), known, {
            log: this.log,
            events: this.#program.eventsOf(trial),
            port: null,
          })
        : undefined;
    if (!found) {
      this.#program.beginWith({ ...initialState(Date.now()), inc: started_at === null ? 0 : attempt });
      this.#goOn();
      return false;
    }
    this.#isTrying = true;
    this.#program.beginWith({ ...initialState(Date.now()), inc: trial, phase: { tag: "starting" } });
    this.#program.hold(found);
    found.resume(true);
    if (ending) this.#program.dispatch({ type: "stop" });
    else if (known && started_at !== null) this.#bound(started_at);
    return true;
  }

  /** Nothing of it runs, and an earlier agent did not come to decide what follows. The journal tells how it stands. */
  #goOn(): void {
    const { attempt, process, ending, next_at, exit_code, signal } = this.#entry;
    this.#exit = exitIn({ exit_code, signal });
    if (!process) {
      if (ending) this.#follow({ kind: "over", ...ending });
      // The clock may have been set meanwhile: no wait is longer than the longest.
      else this.#rest(Math.min((next_at ?? 0) - Date.now(), this.spec.retries.backoffMax));
    } else if (this.#exit || ending) this.#follow(afterAttempt(attempt, this.#outcome(), this.spec.retries));
    else this.#follow({ kind: "over", phase: "failed", error: UNSEEN });
  }

  /** Lets go of it without touching its processes: a later agent adopts it. */
  detach(): void {
    clearTimeout(this.#timeout);
    clearTimeout(this.#backoff);
    this.#program.detach();
    this.log.close();
  }

  get #machineSpec(): SupervisedSpec {
    const none = { type: "none" } as const;
    const { grace, stopSignal: signal = "SIGTERM" } = this.spec;
    const stop = { grace, signal, descendants: "own" } as const;
    return { restart: NEVER, stop, readiness: none, liveness: none, port: null, mcp: null };
  }

  #runPath(inc: number): string {
    return join(this.#options.book.folders.run(this.#entry), String(inc));
  }

  async #launch(inc: number, events: IncarnationEvents): Promise<Incarnation> {
    const { spec, log } = this;
    if (spec.script !== null) fs.writeFileSync(this.#scriptPath, spec.script, { mode: 0o700 });
    const args = spec.script === null ? spec.args : [...spec.interpreterArgs, this.#scriptPath, ...spec.args];
    // What an action cannot say of its process is as for a server that says nothing.
    const bare = bareSpec("agent", spec.project, jobLabel(this.#entry));
    const { program, env, workingDir, umask, openFiles } = spec;
    const said = { program, args, env, workingDir, umask, limits: { openFiles } };
    return spawnIncarnation({
      dir: this.#runPath(inc),
      spec: { ...bare, ...said },
      secrets: this.#options.secrets,
      log,
      events,
      runFolders: this.#options.runFolders,
    });
  }

  #report(message: string): void {
    this.#options.report(`job ${this.#entry.id}: ${message}`);
  }

  #stepped(event: MachineEvent, before: ServerState): void {
    if (!("inc" in event) || event.inc !== before.inc) return;
    if (event.type === "exited") {
      this.#exit = event.exit;
      // What it left behind has its grace, and takes nothing from its time.
      clearTimeout(this.#timeout);
      // Before its keeper may go, and takes the status along.
      this.#update(exitFields(event.exit));
    }
    if (event.type !== "spawned" || this.#entry.process?.pid === event.process.pid) return;
    const { process, at, inc } = event;
    const begun = { attempt: inc, pid: process.pid, process, started_at: at, next_at: null };
    this.#update({ ...begun, phase: "running", exit_code: null, signal: null, error: null });
    this.#bound(at);
  }

  #settled(): void {
    const { phase } = this.#program.state;
    const isStuck = phase.tag === "failed" && phase.stuck;
    if (!this.#isTrying || (mayLive(this.#program.state) && !isStuck)) return;
    this.#isTrying = false;
    clearTimeout(this.#timeout);
    this.#follow(
      isStuck
        ? { kind: "over", phase: "failed", error: "it cannot be killed" }
        : afterAttempt(this.#program.state.inc, this.#outcome(), this.spec.retries),
    );
  }

  #outcome(): Outcome {
    const { ending } = this.#entry;
    if (ending) return { kind: ending.phase === "cancelled" ? "cancelled" : "timeout", error: ending.error };
    const { spawnError } = this.#program;
    if (spawnError instanceof SpawnError) return { kind: "not-started", error: spawnError.message };
    return { kind: "exit", exit: this.#exit ?? { kind: "unknown" } };
  }

  #follow(after: AfterAttempt): void {
    const attempt = Math.max(this.#entry.attempt, this.#program.state.inc);
    // How an earlier attempt ended is not how this one did, which may never have begun.
    const ended = { attempt, pid: null, process: null, ...exitFields(this.#exit ?? { kind: "unknown" }) };
    if (after.kind === "again") {
      const { ms, error } = after;
      this.#update({ ...ended, phase: "pending", ending: null, error, next_at: Date.now() + ms });
      this.#options.resting(this);
      this.#rest(ms);
      return;
    }
    clearTimeout(this.#timeout);
    clearTimeout(this.#backoff);
    const { phase, error } = after;
    this.#update({ ...ended, phase, error, ended_at: Date.now() });
    this.log.close();
    this.#tidy();
    this.#options.over(this);
    this.changes.removed();
  }

  /** Until its next attempt is due. */
  #rest(ms: number): void {
    this.#backoff = setTimeout(() => this.#options.due(this), ms);
  }

  #tidy(): void {
    try {
      this.#options.book.folders.removeRun(this.#entry);
    } catch (error) {
      this.#report(`cannot remove its run folder: ${String(error)}`);
    }
  }

  #bound(startedAt: number): void {
    const { timeout } = this.spec;
    clearTimeout(this.#timeout);
    // It is being stopped already: a slow stop is not a timeout.
    if (timeout === null || this.#entry.ending) return;
    const left = Math.max(0, startedAt + timeout - Date.now());
    this.#timeout = setTimeout(() => {
      const error = `still running after ${formatDuration(timeout)}`;
      const ending: Ending = { phase: "failed", error };
      this.#update({ ending });
      this.#program.dispatch({ type: "stop" });
    }, left);
  }

  #update(patch: Parameters<JobBook["update"]>[1]): void {
    this.#entry = this.#options.book.update(this.#entry.id, patch);
  }

  get #scriptPath(): string {
    return join(this.#options.book.folders.run(this.#entry), "script");
  }
}
