import * as fs from "node:fs";
import { startHash } from "../../model/canonical.ts";
import { SpawnError } from "../../model/environment.ts";
import type { Leftover } from "../../model/leftover.ts";
import {
  type OperatorWord,
  type Restored,
  type Transition,
  type Verdict,
  writtenAgain,
} from "../../model/observed.ts";
import type { McpFacts, ProbeReport } from "../../model/probe-report.ts";
import type { ProcessId } from "../../model/process.ts";
import { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { SESSION_OVER, type Starter } from "../../model/starter.ts";
import {
  type MachineEvent,
  type ProbeName,
  STUCK_AFTER,
  type SupervisedSpec,
  type TimerName,
} from "../../supervisor/machine.ts";
import {
  initialState,
  isEarly,
  isLive,
  liveProcess,
  publicState,
  type ServerState,
} from "../../supervisor/state.ts";
import type { Tally } from "../../supervisor/tally.ts";
import { bootId, isRunning, signalProcess } from "../../system/processes.ts";
import type { Survivor } from "../../system/survivors.ts";
import { LogWriter } from "../logs/log-writer.ts";
import { Ledger } from "../records/ledger.ts";
import { type AppliedSpec, type RuntimeRecord, type ServerStore, stateAfter } from "../records/store.ts";
import type { Unwritten } from "../records/unwritten.ts";
import { Driven } from "../runs/driven.ts";
import type { Incarnation, IncarnationEvents, Unwatched } from "../runs/incarnation.ts";
import { adoptIncarnation, spawnIncarnation } from "../runs/process-host.ts";
import { hasKeeper, madeAt } from "../runs/run-folder.ts";
import { type Turn, Turns } from "./turns.ts";
import { Watch } from "./watch.ts";

/** Of all servers of this agent. */
const launches = new Turns();

export interface SupervisedOptions {
  readonly store: ServerStore;
  readonly report: (message: string) => void;
  /** What could not be written, of all servers. */
  readonly unwritten: Unwritten;
  /** Told after each event that the server took in. */
  readonly changed?: (server: Supervised) => void;
  /** Told what came of an event, before anything of that is carried out. */
  readonly turned?: (server: Supervised, event: MachineEvent, before: ServerState) => void;
}

interface Configuring {
  readonly because?: string | undefined;
  readonly kept?: true | undefined;
}

/** One server under this agent: what was applied, whose word it runs on, its log and its probes. */
export class Supervised extends Driven {
  readonly store: ServerStore;
  readonly log: LogWriter;
  /** For everything that is passed on of its output, or of what its probes saw. */
  readonly redactor: Redactor;
  readonly #ledger: Ledger;
  readonly #unwritten: Unwritten;
  readonly #report: (message: string) => void;
  readonly #tell: (server: Supervised) => void;
  readonly #turned: NonNullable<SupervisedOptions["turned"]>;
  #spec: ServerSpec;
  #secrets: SecretValues;
  #tampered: boolean;
  #unreadable: boolean;
  /** Unix ms, before the first line that the newest incarnation can have printed: its start is heard of later. */
  #begunAt = 0;
  #watch: Watch | undefined;
  #unwatched: Unwatched | undefined;
  /** Its place among those that are about to be launched. */
  #turn: Turn | undefined;
  /** How it has done up to now. */
  get tally(): Tally {
    return this.#ledger.tally(this.state);
  }
  /** What the live process said of itself. */
  #mcp: McpFacts | undefined;
  /** What a person's look has found. */
  readonly #found = new Map<ProbeName, Verdict>();
  constructor(applied: AppliedSpec, options: SupervisedOptions) {
    super();
    this.#spec = applied.spec;
    this.#secrets = applied.secrets;
    this.#tampered = applied.tampered;
    this.#unreadable = applied.unreadable;
    this.store = options.store;
    const { project, name } = applied.spec;
    this.#report = (message) => options.report(`${project}/${name}: ${message}`);
    this.redactor = new Redactor(applied.secrets, applied.spec.env);
    const { unwritten } = options;
    this.#unwritten = unwritten;
    this.#ledger = new Ledger(options.store, this.#report, unwritten);
    this.#ledger.setKept(applied.kept);
    this.#tell = options.changed ?? (() => {});
    this.#turned = options.turned ?? (() => {});
    this.log = new LogWriter(this.store.logDir, applied.spec.logs, { report: this.#report, unwritten });
  }

  get spec(): ServerSpec {
    return this.#spec;
  }
  get secrets(): SecretValues {
    return this.#secrets;
  }
  get operator(): OperatorWord {
    return this.#ledger.operator;
  }
  /** On whose word it runs, or ran last. */
  get starter(): Starter | undefined {
    return this.#ledger.starter;
  }
  get runningHash(): string | undefined {
    return this.#ledger.runningHash;
  }
  /** That an apply has put back what it runs with. */
  get restored(): Restored | undefined {
    return this.#ledger.restored;
  }
  get transitions(): readonly Transition[] {
    return this.#ledger.transitions;
  }
  /** What the live process said of itself. */
  get mcp(): McpFacts | undefined {
    return this.#mcp;
  }
  /** What was seen last of its probe, also by a person's look: that is told until the next one, and decides nothing. */
  seen(probe: ProbeName, { verdict }: { readonly verdict: Verdict }): Verdict {
    const found = this.#found.get(probe);
    return found !== undefined && found.at >= verdict.at ? found : verdict;
  }

  /** A person has looked. `watch`: at which run, and with which spec. */
  note(
    probe: ProbeName,
    { ok, evidence, mcp }: ProbeReport,
    asked: { spec: ServerSpec; watch: Watch },
  ): void {
    if (asked.watch !== this.#watch || asked.spec !== this.#spec) return;
    if (mcp) this.#mcp = mcp;
    this.#found.set(probe, { status: ok ? "ok" : "failing", evidence, at: Date.now() });
  }

  /** Unix ms, before the first line of output of the newest run. */
  get begunAt(): number {
    return this.#begunAt;
  }
  /** Daemons of its runs that live on, for people. */
  get leftovers(): readonly Leftover[] {
    return this.leftBehind.map(({ pid, program }) => ({ pid, program: this.redactor.line(program) }));
  }
  /** What somebody else than xy changed of what was applied. */
  get drift(): string | undefined {
    const isEdited = this.#tampered || this.store.isSpecTouched();
    return isEdited ? "its record in the state folder was edited" : undefined;
  }
  /** Why its run cannot be watched for now. */
  get unwatched(): Unwatched | undefined {
    return this.#unwatched ?? this.incarnation?.unwatched;
  }
  /** Asks the probes of the live process; undefined while there is none. */
  get watch(): Watch | undefined {
    return this.#watch;
  }

  /** Others are launched before it. */
  get isInRow(): boolean {
    return this.#turn !== undefined;
  }

  /**
   * A start of it is owed: it ran when its last agent was told to end, or when the machine went down, or it waits for
   * what it depends on. Written down, so that a new agent knows it.
   */
  get resumes(): boolean {
    return this.#ledger.resumes;
  }

  /** What the configuration or the operator wants of it now. */
  get shouldRun(): boolean {
    return this.operator === null ? this.#spec.wanted === "start" : this.operator === "start";
  }

  /** What runs was started with another spec than the one it has now. */
  get isOutdated(): boolean {
    const { tag } = this.state.phase;
    return (tag === "starting" || tag === "running") && this.runningHash !== startHash(this.#spec);
  }

  /** What was applied is not known: `spec` only says how to end it. */
  get unreadable(): boolean {
    return this.#unreadable;
  }

  /** No configuration declares it: a person has added it. */
  get kept(): true | undefined {
    return this.#ledger.kept;
  }

  /** From now on a start of it is owed. Throws, with nothing changed, when that cannot be written. */
  owe(): void {
    this.#ledger.owe(this.state);
  }

  /** Ends what runs of it, or the wait for its start. `wish`: whose wish that is, and why; see the machine's `stop`. */
  cease(how: "stop" | "kill", wish: { readonly reason: string; readonly failed?: boolean }): void {
    const isOwed = this.resumes;
    this.#ledger.setResumes(false);
    // The end of a wait is no event of the machine.
    if (isOwed) this.#ledger.write(() => this.state);
    this.dispatch({ type: how, ...wish });
  }

  /** The operator's word to stop. It is kept in mind, and counts, also when it cannot be written down: see {@link troubles}. */
  holdStopped(): void {
    this.#ledger.hold(() => this.state);
  }

  /** What is known of it but not on disk, and why: a clause each. A later agent knows less. */
  get unrecorded(): string | undefined {
    const { trouble } = this.#ledger;
    return trouble === undefined ? undefined : `its record cannot be written: ${trouble}`;
  }

  /** What cannot be done for it now: its record, its log. A clause each. */
  get faults(): readonly string[] {
    return [...(this.unrecorded === undefined ? [] : [this.unrecorded]), ...this.log.faults];
  }

  /** Those, and what was lost since this agent began. */
  get troubles(): readonly string[] {
    const { lostText } = this.log;
    return [...this.faults, ...(lostText === undefined ? [] : [lostText])];
  }

  /** What is to be ended and started again must not rest because its start cannot be written down. Throws then. */
  insistOnRecord(): void {
    this.#ledger.insist(this.state);
    const why = this.store.whyNoRoom();
    if (why !== undefined)
      throw new Error(`cannot write the record of ${this.#spec.name}: ${why}; nothing was changed`);
  }

  protected override awaitRoom(): void {
    this.#unwritten.owe(this, () => {
      if (this.spawnError?.noRoom !== true) return true;
      if (!this.#ledger.isWritten(() => this.state) || this.store.whyNoRoom() !== undefined) return false;
      this.room();
      return true;
    });
  }

  /** The operator's word, written down before it is followed. Throws, with nothing changed, when it cannot be. */
  setOperator(word: OperatorWord): void {
    this.#ledger.setOperator(word, this.state);
  }

  /** To be written down with what comes next: {@link owe}, {@link setOperator}, or a start. */
  setStarter(starter: Starter): void {
    this.#ledger.setStarter(starter);
  }

  /**
   * Takes a new spec over. `because`: it is the one before, and this is why that is put back. `kept`: no configuration
   * declares it. Throws, with nothing changed, when it cannot be written.
   */
  configure(spec: ServerSpec, secrets: SecretValues, { because, kept }: Configuring = {}): void {
    this.store.writeSpec(spec, secrets, kept);
    this.#ledger.setKept(kept);
    this.#ledger.setRestored(because === undefined ? undefined : { at: Date.now(), because });
    this.redactor.renew(secrets, spec.env);
    this.#spec = spec;
    this.#secrets = secrets;
    this.#tampered = false;
    this.#unreadable = false;
    this.#found.clear();
    this.log.setLimits(spec.logs);
    this.dispatch({ type: "configured" });
  }

  /** Takes over a spec that says by other names what the one before does: what runs was started with it too. */
  rename(spec: ServerSpec): void {
    if (this.runningHash === startHash(this.#spec)) this.#ledger.rename(spec, this.state);
    this.store.writeSpec(spec, this.#secrets, this.kept);
    this.#spec = spec;
    this.dispatch({ type: "configured" });
  }

  /** It could not be taken up at all. */
  leaveUnwatched(reason: string): void {
    this.incarnation?.detach();
    this.hold(undefined);
    this.#unwatched = { reason };
  }

  /** Takes the server up as an earlier agent, or the last boot, left it. */
  async adopt(record: RuntimeRecord | undefined, survivors: readonly Survivor[] = []): Promise<void> {
    const now = Date.now();
    const fresh = initialState(now);
    const recorded = record
      ? stateAfter(record, now, fresh)
      : { state: this.#withoutRecord(fresh), booted: false };
    const living = livingRun(recorded.state, survivors, record !== undefined);
    const { state, booted } = living
      ? { state: { ...recorded.state, inc: living.inc, phase: { tag: "starting" } as const }, booted: false }
      : { ...recorded, state: withProgram(recorded.state, survivors) };
    if (living)
      this.#report(`run ${living.inc} of it goes on, and its record does not say so: it is taken up again`);
    this.#unwatched = undefined;
    this.beginWith(state);
    const { kept } = this;
    this.#ledger.take(record, booted);
    // Its spec says it, if that can be read.
    if (!this.#unreadable) this.#ledger.setKept(kept);
    if (this.resumes && isOrphan(this.starter)) this.#stayDown();
    if (booted) return this.#forgetRuns();
    const found = new Map(survivors.map((one) => [one.server?.inc ?? 0, one]));
    for (const inc of new Set([...this.store.runs(), ...found.keys(), state.inc]))
      await this.#adoptRun(inc, found.get(inc), living !== undefined);
    this.dispatch({ type: "adopted", present: this.incarnation !== undefined });
    this.incarnation?.resume(living !== undefined);
  }

  /** What a session started does not come back after its end. */
  #stayDown(): void {
    this.#ledger.setResumes(false);
    this.beginWith({ ...this.state, reason: SESSION_OVER });
  }

  /** Without a record, a keeper still proves that something runs: it tells the rest. */
  #withoutRecord(fresh: ServerState): ServerState {
    const kept = this.store.runs().filter((inc) => hasKeeper(this.store.runPath(inc)));
    const inc = Math.max(0, ...kept);
    return inc === 0 ? fresh : { ...fresh, inc, phase: { tag: "starting" } };
  }

  /** A run folder of an incarnation that is over only has its last words left to say. */
  async #adoptRun(inc: number, found: Survivor | undefined, isLost: boolean): Promise<void> {
    const current = inc === this.state.inc && isLive(this.state);
    if (!current && found && isSecond(found)) return this.#endSecond(found);
    const lost = isLost && found?.keeper === undefined ? programOf(found) : undefined;
    const known = current ? (liveProcess(this.state) ?? lost) : undefined;
    const events = current ? this.eventsOf(inc) : NO_EVENTS;
    if (current) this.#begunAt = madeAt(this.store.runPath(inc));
    const { log } = this;
    const { port } = this.#spec;
    const seen = current && found && !found.keeper ? found.processes : [];
    const context = { log, events, port, seen, ...(found?.keeper ? { keeper: found.keeper } : {}) };
    const incarnation = await adoptIncarnation(this.store.runPath(inc), known, context);
    if (current) this.hold(incarnation);
    else {
      incarnation?.resume();
      incarnation?.release(Date.now());
    }
  }

  /** Of two runs of it one is too many. */
  #endSecond({ keeper, server }: Survivor): void {
    this.#report(`run ${server?.inc} of it goes on beside a later one: it is killed`);
    if (keeper && isRunning(keeper)) signalProcess(-keeper.pid, "SIGKILL");
  }

  #forgetRuns(): void {
    fs.rmSync(this.store.runDir, { recursive: true, force: true });
    this.#ledger.write(() => this.state);
  }

  /** Stops the server in a way that the next agent, if not this one, starts it again. It is not held. `reason`: why. */
  async suspend(boundMs: number, reason: string): Promise<void> {
    this.#ledger.setResumes(true);
    this.dispatch({ type: "stop", reason });
    await this.until(isAtRest, boundMs);
  }

  override detach(): void {
    this.#watch?.close();
    super.detach();
    this.#ledger.flush();
    this.log.close();
  }

  /** Forgets a server that is stopped. Throws, with it as it was, when what is on disk of it cannot be removed. */
  remove(): void {
    this.#ledger.close();
    this.#unwritten.paid(this);
    this.store.remove();
    this.detach();
    this.tellRemoved();
  }

  // --- what the core decides ------------------------------------------------------------------------------------

  protected override get machineSpec(): SupervisedSpec {
    return this.#spec;
  }

  protected override runPath(inc: number): string {
    return this.store.runPath(inc);
  }

  protected override report(message: string): void {
    this.#report(message);
  }

  protected override record(soon: boolean): void {
    if (soon) this.#ledger.writeSoon(() => this.state);
    else this.#ledger.write(() => this.state);
  }

  protected override turned(
    event: MachineEvent,
    before: ServerState,
    transitions: readonly Transition[],
  ): void {
    if (this.state.inc > before.inc) this.#ledger.begin(this.#spec);
    for (const transition of transitions) this.#ledger.note(transition);
    this.#ledger.count(before, this.state, this.#spec);
    this.#turned(this, event, before);
  }

  protected override settled(): void {
    this.#tell(this);
  }

  protected override async launch(inc: number, events: IncarnationEvents): Promise<Incarnation> {
    this.#begunAt = Date.now();
    // An agent that came later would know nothing of it, and start a second one beside it.
    if (this.unrecorded !== undefined)
      throw new SpawnError(`cannot start: ${this.unrecorded}`, {
        passing: true,
        noRoom: !this.#ledger.isBrief,
      });
    if (this.#unwatched)
      throw new SpawnError(
        `cannot start: something of it may run, and nobody can look: ${this.#unwatched.reason}`,
        { passing: true },
      );
    if (this.#unreadable)
      throw new SpawnError(
        `cannot start: what was applied cannot be read; ${writtenAgain(this.spec.name, this.kept)} writes it again`,
      );
    this.#turn = launches.take();
    const over = await this.#turn.begun.finally(() => {
      this.#turn = undefined;
      this.nudge();
    });
    try {
      const { spec, secrets, log, leftBehind: seen } = this;
      return await spawnIncarnation({ dir: this.runPath(inc), spec, secrets, log, events, seen });
    } finally {
      over();
    }
  }

  protected override unlaunch(): void {
    this.#turn?.giveUp(new SpawnError("told to end before it began"));
  }

  /** A line that makes it ready counts, also when its process ended right after it. */
  protected override eventsOf(inc: number): IncarnationEvents {
    const events = super.eventsOf(inc);
    let end: Promise<void> | undefined;
    return {
      ...events,
      exited: (exit, at) => {
        if (exit.kind === "unknown" && this.state.phase.tag === "starting" && inc === this.state.inc)
          return void this.#judgeUnborn(inc, () => events.exited(exit, at));
        const look = this.#lastLook(inc);
        if (look === undefined) events.exited(exit, at);
        else end = look.then(() => events.exited(exit, at));
      },
      emptied: () => (end === undefined ? events.emptied() : void end.then(events.emptied)),
    };
  }

  /** The keeper has ended and told nothing: on a full disk it cannot even say who it is. */
  async #judgeUnborn(inc: number, otherwise: () => void): Promise<void> {
    const why = this.store.whyNoRoom();
    const members = why === undefined ? undefined : await this.incarnation?.members().catch(() => undefined);
    if (why === undefined || members?.length !== 0 || inc !== this.state.inc) return otherwise();
    this.neverRan(
      inc,
      new SpawnError(`cannot start: its record cannot be written: ${why}`, { noRoom: true }),
    );
  }

  /** What its process printed last, before its end is judged. Undefined: there is nothing to look for. */
  #lastLook(inc: number): Promise<void> | undefined {
    const { readiness } = this.#spec;
    if (readiness.type !== "log" || inc !== this.state.inc || !isEarly(this.state, this.#spec))
      return undefined;
    this.incarnation?.drain(Date.now());
    return this.#watch?.lastLook(readiness.pattern).then((line) => {
      if (line === undefined) return;
      const answer = { ok: true, evidence: this.redactor.evidence(line) };
      this.dispatch({ type: "answered", inc, probe: "readiness", answer });
    });
  }

  protected override holding(incarnation: Incarnation | undefined): void {
    this.#watch?.close();
    this.#watch = incarnation && new Watch(incarnation, this.log, this.#begunAt, this.#report);
    this.#found.clear();
    if (incarnation) return;
    this.#mcp = undefined;
    this.log.close();
  }

  /** A start is not over while somebody looks whether it is: that may say yes, and else it says what is so now. */
  protected override beforeTimer(timer: TimerName): Promise<void> | undefined {
    return timer === "start" ? this.#watch?.answerTo(this.#spec.readiness) : undefined;
  }

  /** Without a process there is nobody to look at, and the core hears of that by other ways. */
  protected override probe(inc: number, probe: ProbeName): void {
    const question = { spec: this.#spec, secrets: this.#secrets, probe: this.#spec[probe] };
    void this.#watch?.ask(question, ({ ok, evidence, costly, mcp, unknowable }) => {
      // A new spec asks anew: what the old one asked for must not stand as its answer.
      if (question.spec !== this.#spec) return;
      if (inc === this.state.inc && mcp) this.#mcp = this.redactor.facts(mcp);
      const told = this.redactor.evidence(evidence);
      const answer = {
        ok,
        evidence: told,
        ...(costly ? { costly } : {}),
        ...(unknowable ? { unknowable } : {}),
      };
      this.dispatch({ type: "answered", inc, probe, answer });
    });
  }
}

/** Longest time from the decision to start to a running program or the word that it cannot, ms. */
const SPAWN_BOUND = 15_000;

/** Longest time from the word to stop until nothing runs any more, or that is given up, ms. */
export function stopBound(spec: Pick<ServerSpec, "stop">): number {
  return SPAWN_BOUND + spec.stop.grace + STUCK_AFTER;
}

/** Nothing of it runs, and nothing will by itself. */
export function isAtRest(server: Supervised): boolean {
  const state = publicState(server.state);
  return state === "stopped" || state === "failed";
}

/** The run that lives, where the record says that none does, or of an earlier one, or nothing. */
function livingRun(
  state: ServerState,
  survivors: readonly Survivor[],
  hasRecord: boolean,
): { readonly inc: number } | undefined {
  // What a run that is over has left may print into its fifos still: that is no run.
  const runs = survivors.filter((one) => (hasRecord ? isSecond(one) : one.processes.length > 0));
  const inc = Math.max(0, ...runs.flatMap(({ server }) => server?.inc ?? []));
  if (inc === 0 || (isLive(state) && state.inc >= inc)) return undefined;
  return { inc };
}

/** A record may name a stranger. What the keeper of the run has started is its program. */
function withProgram(state: ServerState, survivors: readonly Survivor[]): ServerState {
  const { phase, inc } = state;
  const found = survivors.find(({ server }) => server?.inc === inc);
  const [program] = found?.keeper ? found.processes : [];
  const recorded = liveProcess(state);
  if (!program || !recorded || (phase.tag !== "running" && phase.tag !== "ending")) return state;
  if (found?.processes.some(({ pid, start }) => pid === recorded.pid && start === recorded.start))
    return state;
  return { ...state, phase: { ...phase, process: { ...program, boot: bootId() } } };
}

/** A keeper with its program. */
const isSecond = ({ keeper, processes }: Survivor) => keeper !== undefined && processes.length > 0;

/** The first of its processes, where no record names one and no keeper has started it. */
function programOf(found: Survivor | undefined): ProcessId | undefined {
  const [first] = [...(found?.processes ?? [])].sort(
    (a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid,
  );
  return first && { ...first, boot: bootId() };
}

const NO_EVENTS = { spawned: () => {}, exited: () => {}, emptied: () => {}, report: () => {} };

/** Its session is gone. */
function isOrphan(starter: Starter | undefined): boolean {
  return starter?.by === "session" && !isRunning(starter.session);
}
