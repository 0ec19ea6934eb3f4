import * as fs from "node:fs";
import { startHash } from "../../model/canonical.ts";
import type { SpawnError } from "../../model/environment.ts";
import type { Leftover } from "../../model/leftover.ts";
import type { OperatorWord, Restored, Transition } from "../../model/observed.ts";
import { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { SESSION_OVER, type Starter } from "../../model/starter.ts";
import { isUp } from "../../model/states.ts";
import type { MachineEvent } from "../../supervisor/machine.ts";
import type { Tally } from "../../supervisor/recorded.ts";
import { publicState, type ServerState } from "../../supervisor/state.ts";
import type { Survivor } from "../../system/survivors.ts";
import { LogWriter } from "../logs/log-writer.ts";
import { Ledger } from "../records/ledger.ts";
import type { AppliedSpec, RuntimeRecord, ServerStore } from "../records/store.ts";
import type { Changes } from "../runs/changes.ts";
import type { Unwatched } from "../runs/connection.ts";
import type { Incarnation } from "../runs/incarnation.ts";
import { isOrphan, stateFound } from "./adoption.ts";
import type { Probing } from "./probing.ts";
import { isDown } from "./rest.ts";
import { ServerProgram, type Shared } from "./server-program.ts";

export interface SupervisedOptions extends Shared {
  readonly store: ServerStore;
  readonly report: (message: string) => void;
  /** Told after each event. */
  readonly changed: (server: Supervised) => void;
  /** Told what an event changed, before any effect is carried out. */
  readonly stepped: (server: Supervised, event: MachineEvent, before: ServerState) => void;
}

/** One server under this agent: what was applied, what is recorded, its program, its log and its probes. */
export class Supervised {
  readonly store: ServerStore;
  readonly log: LogWriter;
  /** For everything that is shown of its output, or of what its probes saw. */
  readonly redactor: Redactor;
  readonly #program: ServerProgram;
  readonly #ledger: Ledger;
  readonly #report: (message: string) => void;
  #spec: ServerSpec;
  #secrets: SecretValues;
  #tampered: boolean;
  #unreadable: boolean;

  constructor(applied: AppliedSpec, options: SupervisedOptions) {
    this.#spec = applied.spec;
    this.#secrets = applied.secrets;
    this.#tampered = applied.tampered;
    this.#unreadable = applied.unreadable;
    this.store = options.store;
    const { project, name } = applied.spec;
    const report = (message: string) => options.report(`${project}/${name}: ${message}`);
    this.#report = report;
    this.redactor = new Redactor(applied.secrets, applied.spec.env);
    this.#ledger = new Ledger(options.store, report, options.unwritten);
    this.#ledger.setKept(applied.kept);
    this.log = new LogWriter(this.store.logDir, applied.spec.logs, { report, unwritten: options.unwritten });
    this.#program = new ServerProgram(this, this.#ledger, {
      ...options,
      report,
      stepped: (event, before) => options.stepped(this, event, before),
      changed: () => options.changed(this),
    });
  }

  // --- its program ----------------------------------------------------------------------------------------------

  get state(): ServerState {
    return this.#program.state;
  }
  get incarnation(): Incarnation | undefined {
    return this.#program.incarnation;
  }
  /** What its probes found. */
  get probing(): Probing {
    return this.#program.probing;
  }
  /** Tells others what happens to it. */
  get changes(): Changes {
    return this.#program.changes;
  }
  /** Why the last start failed, while it is failed or waits for another start because of it. */
  get spawnError(): SpawnError | undefined {
    return this.#program.spawnError;
  }
  /** Unix ms, before the first line of output of the newest run. */
  get begunAt(): number {
    return this.#program.begunAt;
  }
  /** Daemons that its runs left behind and that are still alive, for people. */
  get leftovers(): readonly Leftover[] {
    const { leftBehind } = this.#program;
    return leftBehind.map(({ pid, program }) => ({ pid, program: this.redactor.line(program) }));
  }
  /** Why nobody watches what may run of it. */
  get unwatched(): Unwatched | undefined {
    return this.#program.unwatched;
  }
  /** It waits until others have been launched. */
  get isQueued(): boolean {
    return this.#program.isQueued;
  }

  dispatch(event: MachineEvent): void {
    this.#program.dispatch(event);
  }

  /** Settles with true when the condition holds, or with false after `ms` or when the signal aborts. */
  until(condition: (server: Supervised) => boolean, ms: number, signal?: AbortSignal): Promise<boolean> {
    return this.changes.until(() => condition(this), ms, signal);
  }

  // --- what was applied, and what is recorded -------------------------------------------------------------------

  get spec(): ServerSpec {
    return this.#spec;
  }
  get secrets(): SecretValues {
    return this.#secrets;
  }
  get operator(): OperatorWord {
    return this.#ledger.operator;
  }
  /** Who started it last. */
  get starter(): Starter | undefined {
    return this.#ledger.starter;
  }
  get runningHash(): string | undefined {
    return this.#ledger.runningHash;
  }
  /** Set if an apply has put its previous version back. */
  get restored(): Restored | undefined {
    return this.#ledger.restored;
  }
  get transitions(): readonly Transition[] {
    return this.#ledger.transitions;
  }
  /** How it has done up to now. */
  get tally(): Tally {
    return this.#ledger.tally(this.state);
  }
  /** No configuration declares it: a person added it. */
  get kept(): true | undefined {
    return this.#ledger.kept;
  }
  /** A start is owed: it ran when its last agent or the machine stopped, or it waits for what it depends on. */
  get resumes(): boolean {
    return this.#ledger.resumes;
  }
  /** Whether the configuration, or else the operator, wants it to run. */
  get shouldRun(): boolean {
    return this.operator === null ? this.#spec.wanted === "start" : this.operator === "start";
  }
  /** Its process was started with another spec than it has now. */
  get isOutdated(): boolean {
    return isUp(publicState(this.state)) && this.runningHash !== startHash(this.#spec);
  }
  /** What was applied is not known: `spec` only says how to stop it. */
  get unreadable(): boolean {
    return this.#unreadable;
  }
  /** What somebody other than xy changed in what was applied. */
  get drift(): string | undefined {
    if (!this.#tampered && !this.store.isSpecTouched()) return undefined;
    return "its record in the state folder was edited";
  }
  /** Why what is known about it is not on disk: a later agent would know less. */
  get unrecorded(): string | undefined {
    const { trouble } = this.#ledger;
    return trouble === undefined ? undefined : `its record cannot be written: ${trouble}`;
  }
  /** What fails for it now: its record, its log. A clause each. */
  get faults(): readonly string[] {
    return [...(this.unrecorded === undefined ? [] : [this.unrecorded]), ...this.log.faults];
  }
  /** The faults, and what was lost since this agent started. */
  get troubles(): readonly string[] {
    const { lostText } = this.log;
    return [...this.faults, ...(lostText === undefined ? [] : [lostText])];
  }

  /** From now on a start is owed. Throws, with nothing changed, if that cannot be recorded. */
  owe(): void {
    this.#ledger.owe(this.state);
  }

  /** Stops it, or ends its wait for a start. `wish`: who wants that and why, see the state machine's `stop`. */
  cease(how: "stop" | "kill", wish: { readonly reason: string; readonly failed?: boolean }): void {
    const isOwed = this.resumes;
    this.#ledger.setResumes(false);
    // The end of a wait is no event of the state machine.
    if (isOwed) this.#ledger.write(() => this.state);
    this.dispatch({ type: how, ...wish });
  }

  /** The operator's stop. It counts even if it cannot be recorded: see {@link troubles}. */
  holdStopped(): void {
    this.#ledger.hold(() => this.state);
  }

  /** A restart must not leave it stopped because its start cannot be recorded. Throws then. */
  insistOnRecord(): void {
    this.#ledger.insist(this.state);
    const why = this.store.whyNoRoom();
    if (why !== undefined)
      throw new Error(`cannot write the record of ${this.#spec.name}: ${why}; nothing was changed`);
  }

  /** The operator's word, recorded before it is followed. Throws, with nothing changed, if it cannot be. */
  setOperator(word: OperatorWord): void {
    this.#ledger.setOperator(word, this.state);
  }

  /** Recorded with what comes next: {@link owe}, {@link setOperator}, or a start. */
  setStarter(starter: Starter): void {
    this.#ledger.setStarter(starter);
  }

  /**
   * Gives it a new spec. `because`: it is the previous one, put back for this reason. `kept`: no configuration declares
   * it. Throws, with nothing changed, if it cannot be written.
   */
  configure(
    spec: ServerSpec,
    secrets: SecretValues,
    { because, kept }: { readonly because?: string; readonly kept?: true | undefined } = {},
  ): void {
    this.store.writeSpec(spec, secrets, kept);
    this.#ledger.setKept(kept);
    this.#ledger.setRestored(because === undefined ? undefined : { at: Date.now(), because });
    this.redactor.renew(secrets, spec.env);
    this.#spec = spec;
    this.#secrets = secrets;
    this.#tampered = false;
    this.#unreadable = false;
    this.probing.forgetFound();
    this.log.setLimits(spec.logs);
    this.dispatch({ type: "configured" });
  }

  /** Gives it a spec that only says the same with other names: its process counts as started with that. */
  rename(spec: ServerSpec): void {
    if (this.runningHash === startHash(this.#spec)) this.#ledger.rename(spec, this.state);
    this.store.writeSpec(spec, this.#secrets, this.kept);
    this.#spec = spec;
    this.dispatch({ type: "configured" });
  }

  // --- from one agent to the next -------------------------------------------------------------------------------

  /** It could not be adopted at all. */
  leaveUnwatched(reason: string): void {
    this.#program.leaveUnwatched(reason);
  }

  /** Adopts the server as an earlier agent, or the last boot, left it. */
  async adopt(record: RuntimeRecord | undefined, survivors: readonly Survivor[] = []): Promise<void> {
    const found = stateFound(this.store, record, survivors, this.#report);
    this.#program.beginWith(found.state);
    const { kept } = this;
    this.#ledger.take(record, found.booted);
    // The spec says so, if it can be read.
    if (!this.#unreadable) this.#ledger.setKept(kept);
    if (this.resumes && isOrphan(this.starter)) {
      // What a session started does not come back after the session's end.
      this.#ledger.setResumes(false);
      this.#program.beginWith({ ...this.state, reason: SESSION_OVER });
    }
    if (!found.booted) return this.#program.adopt(survivors, found.isUnrecorded);
    fs.rmSync(this.store.runDir, { recursive: true, force: true });
    this.#ledger.write(() => this.state);
  }

  /** Stops it so that this agent or the next one starts it again: it is not held. `reason`: why it is stopped. */
  async suspend(boundMs: number, reason: string): Promise<void> {
    this.#ledger.setResumes(true);
    this.dispatch({ type: "stop", reason });
    await this.until(isDown, boundMs);
  }

  /** Lets go of it without touching its processes: a later agent adopts it. */
  detach(): void {
    this.#program.detach();
    this.#ledger.flush();
    this.log.close();
  }

  /** Forgets a server that is stopped. Throws, with the server as it was, if its files cannot be removed. */
  remove(): void {
    this.#ledger.close();
    this.store.remove();
    this.detach();
    this.#program.forget();
  }
}
