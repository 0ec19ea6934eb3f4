import { SpawnError } from "../../model/environment.ts";
import { type Transition, writtenAgain } from "../../model/observed.ts";
import type { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import type { MachineEvent } from "../../supervisor/machine.ts";
import { isEarly, type ServerState } from "../../supervisor/state.ts";
import type { Survivor } from "../../system/survivors.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import type { Ledger } from "../records/ledger.ts";
import type { ServerStore } from "../records/store.ts";
import type { Unwritten } from "../records/unwritten.ts";
import type { Changes } from "../runs/changes.ts";
import type { Unwatched } from "../runs/connection.ts";
import { Driven } from "../runs/driven.ts";
import type { Incarnation, IncarnationEvents, LeftProcess } from "../runs/incarnation.ts";
import type { RunFolders } from "../runs/run-folders.ts";
import { spawnIncarnation } from "../runs/spawning.ts";
import { adoptRuns } from "./adoption.ts";
import type { LaunchQueue, Place } from "./launch-queue.ts";
import { Probing } from "./probing.ts";

/** What all servers of an agent share. */
export interface Shared {
  /** What could not be written. */
  readonly unwritten: Unwritten;
  readonly launches: LaunchQueue;
  readonly runFolders: RunFolders;
}

/** The server whose program it is, as it is at each moment. */
interface ProgramOwner {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly store: ServerStore;
  readonly log: LogWriter;
  readonly redactor: Redactor;
  readonly kept: true | undefined;
  readonly unreadable: boolean;
  /** Why what is known about it is not on disk. */
  readonly unrecorded: string | undefined;
}

interface ProgramOptions extends Shared {
  readonly report: (message: string) => void;
  /** Told after each event. */
  readonly changed: () => void;
  /** Told what an event changed, before any effect is carried out. */
  readonly stepped: (event: MachineEvent, before: ServerState) => void;
}

/** The program of one server under the state machine: how it is launched, probed, judged and adopted. */
export class ServerProgram {
  readonly probing: Probing;
  readonly #driven: Driven;
  readonly #server: ProgramOwner;
  readonly #ledger: Ledger;
  readonly #options: ProgramOptions;
  #begunAt = 0;
  /** Why it could not be adopted: something of it may run, and nobody watches that. */
  #unadopted: Unwatched | undefined;
  #place: Place | undefined;

  constructor(server: ProgramOwner, ledger: Ledger, options: ProgramOptions) {
    this.#server = server;
    this.#ledger = ledger;
    this.#options = options;
    this.probing = new Probing(server, options.report);
    this.#driven = new Driven({
      spec: () => server.spec,
      runPath: (inc) => server.store.runPath(inc),
      report: options.report,
      launch: (inc, events) => this.#launch(inc, events),
      cancelLaunch: () => this.#place?.giveUp(new SpawnError("told to stop before it was started")),
      record: (soon) => {
        if (soon) ledger.writeSoon(() => this.state);
        else ledger.write(() => this.state);
      },
      stepped: (event, before, transitions) => this.#stepped(event, before, transitions),
      held: (incarnation) => {
        this.probing.follow(incarnation, this.#begunAt);
        if (incarnation === undefined) server.log.close();
      },
      probe: (inc, probe) =>
        this.probing.ask(
          probe,
          () => inc === this.state.inc,
          (answer) => this.dispatch({ type: "answered", inc, probe, answer }),
        ),
      // A start is not over while its last probe is running: the answer may be yes, and otherwise is up to date.
      beforeTimer: (timer) => (timer === "start" ? this.probing.answerTo(server.spec.readiness) : undefined),
      awaitRoom: () => this.#awaitRoom(),
      settled: options.changed,
      filterEvents: (inc, events) => this.#withJudgedEnd(inc, events),
    });
  }

  get state(): ServerState {
    return this.#driven.state;
  }
  get incarnation(): Incarnation | undefined {
    return this.#driven.incarnation;
  }
  get changes(): Changes {
    return this.#driven.changes;
  }
  /** Why the last start failed, while it is failed or waits for another start because of it. */
  get spawnError(): SpawnError | undefined {
    return this.#driven.spawnError;
  }
  /** Daemons that its runs left behind and that are still alive. */
  get leftBehind(): readonly LeftProcess[] {
    return this.#driven.leftBehind;
  }
  /** Unix ms, before the first line that the newest incarnation can have printed: its start is heard of later. */
  get begunAt(): number {
    return this.#begunAt;
  }
  /** Why nobody watches what may run of it. */
  get unwatched(): Unwatched | undefined {
    return this.#unadopted ?? this.incarnation?.unwatched;
  }
  /** It waits until others have been launched. */
  get isQueued(): boolean {
    return this.#place !== undefined;
  }

  dispatch(event: MachineEvent): void {
    this.#driven.dispatch(event);
  }

  // --- from one agent to the next -------------------------------------------------------------------------------

  /** Something of it may run, and cannot be adopted now. */
  leaveUnwatched(reason: string): void {
    this.incarnation?.detach();
    this.#driven.hold(undefined);
    this.#unadopted = { reason };
  }

  /** Begins with a state that was found. */
  beginWith(state: ServerState): void {
    this.#unadopted = undefined;
    this.#driven.beginWith(state);
  }

  /** Adopts the current run. `isUnrecorded`: the record does not know it. */
  async adopt(survivors: readonly Survivor[], isUnrecorded: boolean): Promise<void> {
    const { store, log, spec } = this.#server;
    const adopter = {
      store,
      log,
      port: spec.port,
      state: () => this.state,
      report: this.#options.report,
      eventsOf: (inc: number) => this.#driven.eventsOf(inc),
      currentBegan: (at: number) => {
        this.#begunAt = at;
      },
      hold: (incarnation: Incarnation | undefined) => this.#driven.hold(incarnation),
    };
    await adoptRuns(adopter, survivors, isUnrecorded);
    this.dispatch({ type: "adopted", present: this.incarnation !== undefined });
    this.incarnation?.resume(isUnrecorded);
  }

  /** Lets go of it without touching its processes: a later agent adopts it. */
  detach(): void {
    this.probing.close();
    this.#driven.detach();
  }

  /** The server is forgotten: ends every wait for it. */
  forget(): void {
    this.#options.unwritten.paid(this);
    this.changes.removed();
  }

  // --- what the state machine decides ---------------------------------------------------------------------------

  #stepped(event: MachineEvent, before: ServerState, transitions: readonly Transition[]): void {
    if (this.state.inc > before.inc) this.#ledger.begin(this.#server.spec);
    for (const transition of transitions) this.#ledger.note(transition);
    this.#ledger.count(before, this.state, this.#server.spec);
    this.#options.stepped(event, before);
  }

  async #launch(inc: number, events: IncarnationEvents): Promise<Incarnation> {
    this.#begunAt = Date.now();
    this.#refuseLaunch();
    this.#place = this.#options.launches.join();
    const done = await this.#place.begun.finally(() => {
      this.#place = undefined;
      this.changes.changed();
    });
    try {
      const { spec, secrets, log, store } = this.#server;
      const { runFolders } = this.#options;
      const seen = this.leftBehind;
      return await spawnIncarnation({
        dir: store.runPath(inc),
        spec,
        secrets,
        log,
        events,
        seen,
        runFolders,
        sessions: store.sessionsPath,
      });
    } finally {
      done();
    }
  }

  #refuseLaunch(): void {
    // A later agent would not know about it, and would start a second one beside it.
    const { unrecorded, unreadable, spec, kept } = this.#server;
    if (unrecorded !== undefined)
      throw new SpawnError(`cannot start: ${unrecorded}`, {
        passing: true,
        noRoom: !this.#ledger.isBrief,
      });
    if (this.#unadopted)
      throw new SpawnError(
        `cannot start: it may be running already, which cannot be checked: ${this.#unadopted.reason}`,
        { passing: true },
      );
    if (unreadable)
      throw new SpawnError(
        `cannot start: what was applied cannot be read; ${writtenAgain(spec.name, kept)} writes it again`,
      );
  }

  #awaitRoom(): void {
    this.#options.unwritten.owe(this, () => {
      if (this.spawnError?.noRoom !== true) return true;
      if (!this.#ledger.isWritten(() => this.state) || this.#server.store.whyNoRoom() !== undefined)
        return false;
      this.#driven.retryWithRoom();
      return true;
    });
  }

  /** A line that makes it ready counts, even if its process exited right after printing it. */
  #withJudgedEnd(inc: number, events: IncarnationEvents): IncarnationEvents {
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

  /** The keeper exited without a word: on a full disk it cannot even write its own pid. */
  async #judgeUnborn(inc: number, otherwise: () => void): Promise<void> {
    const why = this.#server.store.whyNoRoom();
    const members = why === undefined ? undefined : await this.incarnation?.members().catch(() => undefined);
    if (why === undefined || members?.length !== 0 || inc !== this.state.inc) return otherwise();
    this.#driven.neverRan(
      inc,
      new SpawnError(`cannot start: its record cannot be written: ${why}`, { noRoom: true }),
    );
  }

  /** Looks at its last output before its exit is judged. Undefined: there is nothing to look for. */
  #lastLook(inc: number): Promise<void> | undefined {
    const { spec } = this.#server;
    const { readiness } = spec;
    if (readiness.type !== "log" || inc !== this.state.inc || !isEarly(this.state, spec)) return undefined;
    this.incarnation?.drain(Date.now());
    return this.probing.lastLook(readiness.pattern)?.then((evidence) => {
      if (evidence === undefined) return;
      this.dispatch({ type: "answered", inc, probe: "readiness", answer: { ok: true, evidence } });
    });
  }
}
