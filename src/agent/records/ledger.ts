import { startHash } from "../../model/canonical.ts";
import type { OperatorWord, Restored, Transition } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { Starter } from "../../model/starter.ts";
import type { Tally } from "../../supervisor/recorded.ts";
import type { ServerState } from "../../supervisor/state.ts";
import { counted, newTally, tallied } from "../../supervisor/tally.ts";
import { bootId } from "../../system/processes.ts";
import { causeText, isNoRoom, isShortage } from "../../system/shortage.ts";
import type { RuntimeRecord, ServerStore } from "./store.ts";
import type { Unwritten } from "./unwritten.ts";

const KEPT_TRANSITIONS = 20;
/** Longest time until what need not be written at once is written, ms: long enough that what follows comes with it. */
const SOON = 200;

/** What is recorded about one server besides its spec and its state: who started it, and how it has done. */
export class Ledger {
  readonly #store: ServerStore;
  readonly #report: (message: string) => void;
  readonly #unwritten: Unwritten;
  /** Why the newest record could not be written; undefined: it is on disk. */
  #trouble: string | undefined;
  /** For want of descriptors, say: what no person has to see to. */
  #isBrief = false;
  #operator: OperatorWord = null;
  #starter: Starter | undefined;
  #started: RuntimeRecord["started"];
  #runningHash: string | undefined;
  #transitions: readonly Transition[] = [];
  #resumes = false;
  #restored: Restored | undefined;
  #kept: true | undefined;
  #tally = newTally(Date.now());
  #soon: { readonly state: () => ServerState; readonly timer: NodeJS.Timeout } | undefined;
  /** Something of it is not written down yet. */
  #isDue = false;

  constructor(store: ServerStore, report: (message: string) => void, unwritten: Unwritten) {
    this.#store = store;
    this.#report = report;
    this.#unwritten = unwritten;
  }

  /** Why what is known of it is not on disk: a later agent knows less. Undefined: it is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }
  /** That is for want of descriptors, say, which others may give back in a moment. */
  get isBrief(): boolean {
    return this.#isBrief;
  }

  get operator(): OperatorWord {
    return this.#operator;
  }
  /** Who started it last. */
  get starter(): Starter | undefined {
    return this.#starter;
  }
  /** {@link startHash} of the spec that the newest incarnation was started with. */
  get runningHash(): string | undefined {
    return this.#runningHash;
  }
  get transitions(): readonly Transition[] {
    return this.#transitions;
  }
  /** That an apply has put back what it has now. */
  get restored(): Restored | undefined {
    return this.#restored;
  }
  /** As was recorded: no configuration declares it. */
  get kept(): true | undefined {
    return this.#kept;
  }
  /** A start of it is owed. */
  get resumes(): boolean {
    return this.#resumes;
  }

  /** How it has done up to now. */
  tally(state: ServerState): Tally {
    return counted(this.#tally, state, Date.now());
  }

  /** As an earlier agent left it. */
  take(record: RuntimeRecord | undefined, booted: boolean): void {
    this.#operator = record?.operator ?? null;
    this.#starter = record?.starter;
    this.#started = record?.started;
    this.#runningHash = record?.runningHash;
    this.#transitions = record?.transitions ?? [];
    this.#restored = record?.restored;
    this.#kept = record?.kept;
    this.#resumes = booted || (record?.resumes ?? false);
    // The machine was down in between.
    if (record?.tally) this.#tally = booted ? { ...record.tally, at: Date.now() } : record.tally;
  }

  /** Takes in what a step of the state machine changed, to be recorded with what comes next. */
  count(before: ServerState, after: ServerState, spec: ServerSpec): void {
    this.#tally = tallied(this.#tally, before, after, spec, Date.now());
  }

  /**
   * The operator's stop. If it cannot be recorded it is followed all the same, remembered, and recorded as soon as possible:
   * people who make room on a full disk must be able to stop what fills it.
   */
  hold(state: () => ServerState): void {
    if (this.#operator === "stop" && !this.#isDue) return;
    this.#operator = "stop";
    this.#isDue = true;
    this.#try(state, true);
  }

  /** Written down before it is followed. Throws, with nothing changed, when it cannot be. */
  setOperator(word: OperatorWord, state: ServerState): void {
    const before = this.#operator;
    if (word === before) {
      if (this.#isDue) this.write(() => state);
      return;
    }
    this.#operator = word;
    this.#writeOr(state, () => {
      this.#operator = before;
    });
  }

  /** As {@link setOperator}. */
  owe(state: ServerState): void {
    const before = this.#resumes;
    if (before && !this.#isDue) return;
    this.#resumes = true;
    this.#writeOr(state, () => {
      this.#resumes = before;
    });
  }

  /** Whether a start is owed, to be written down with what comes next. */
  setResumes(resumes: boolean): void {
    this.#resumes = resumes;
  }

  /** To be written down with what comes next. */
  setRestored(restored: Restored | undefined): void {
    this.#restored = restored;
  }

  /** No configuration declares it: to be written down with what comes next. */
  setKept(kept: true | undefined): void {
    this.#kept = kept;
  }

  /** To be recorded with what comes next: a start, an owed start, or the operator's word. */
  setStarter(starter: Starter): void {
    if (starter.by !== "session" && starter.by === this.#starter?.by) return;
    this.#starter = starter;
    this.#isDue = true;
  }

  /** A new incarnation begins: to be written down with the state that says so. */
  begin(spec: ServerSpec): void {
    this.#resumes = false;
    this.#runningHash = startHash(spec);
    this.#started = { command: [spec.program, ...spec.args], port: spec.port };
  }

  /** The newest incarnation was started with this spec too. */
  rename(spec: ServerSpec, state: ServerState): void {
    const hash = this.#runningHash;
    this.#runningHash = startHash(spec);
    this.#writeOr(state, () => {
      this.#runningHash = hash;
    });
  }

  note(transition: Transition): void {
    this.#transitions = [...this.#transitions, transition].slice(-KEPT_TRANSITIONS);
  }

  /** Writes the state that there is in a moment, or what was asked for with the next record. */
  writeSoon(state: () => ServerState): void {
    this.#soon ??= { state, timer: setTimeout(() => this.flush(), SOON) };
  }

  /** Writes now what was to be written soon. */
  flush(): void {
    if (this.#soon) this.write(this.#soon.state);
  }

  /** The server is forgotten: nothing about it is written any more. */
  close(): void {
    clearTimeout(this.#soon?.timer);
    this.#soon = undefined;
    this.#unwritten.paid(this);
  }

  /** Without room for a record, supervision continues; a later agent would know less until it can be written. */
  write(state: () => ServerState): void {
    this.#try(state, false);
  }

  /** Throws, with nothing changed, unless what is known of it now is on disk. */
  insist(state: ServerState): void {
    this.#writeOr(state, () => {}, false);
  }

  /** True: what is known of it is on disk. What could not be written is tried again for that. */
  isWritten(state: () => ServerState): boolean {
    return this.#trouble === undefined || this.#try(state, true);
  }

  #try(state: () => ServerState, durable: boolean): boolean {
    try {
      this.#write(state(), durable);
      return true;
    } catch (error) {
      const why = causeText(error);
      if (this.#trouble !== why) this.#report(`its record cannot be written: ${why}`);
      this.#trouble = why;
      this.#isBrief = isShortage(error) && !isNoRoom(error);
      // What was not on disk for a while is there to stay once it is.
      this.#unwritten.owe(this, () => this.#try(state, true));
      return false;
    }
  }

  #writeOr(state: ServerState, takeBack: () => void, durable = true): void {
    try {
      this.#write(state, durable);
    } catch (error) {
      takeBack();
      throw new Error(
        `cannot write the record of ${this.#store.name}: ${causeText(error)}; nothing was changed`,
      );
    }
  }

  #write(state: ServerState, durable: boolean): void {
    clearTimeout(this.#soon?.timer);
    this.#soon = undefined;
    const record: RuntimeRecord = {
      boot: bootId(),
      operator: this.#operator,
      runningHash: this.#runningHash,
      resumes: this.#resumes,
      starter: this.#starter,
      started: this.#started,
      state,
      restored: this.#restored,
      transitions: this.#transitions,
      tally: this.#tally,
      kept: this.#kept,
    };
    this.#store.writeRecord(record, durable);
    this.#isDue = false;
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#unwritten.paid(this);
    this.#report("its record is written again");
  }
}
