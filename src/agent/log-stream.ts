import type { Transition } from "../model/observed.ts";
import type { ParsedParams } from "../rpc/contract.ts";
import type { Notifications } from "../rpc/notifications.ts";
import { LogSnapshot } from "./log-reader.ts";
import type { LogLine } from "./log-record.ts";
import type { LogWriter } from "./log-writer.ts";
import type { Caller } from "./rpc-server.ts";

/** Bytes that may wait for a reader before lines are dropped for it. */
const MOST_WAITING = 1024 * 1024;

/** What prints: a server, or a job. */
export interface LogSource {
  readonly name: string;
  readonly log: Pick<LogWriter, "dir" | "onLine">;
  onTransition(callback: (transition: Transition) => void): () => void;
  /** Calls back when nothing more will come. Returns how to take that back. */
  onEnd(callback: () => void): () => void;
  /** Nothing more will come: there is nothing to follow. */
  readonly isOver: boolean;
  /** Unix ms: only the lines of this time are of it. */
  readonly since?: number;
  readonly until?: number;
}

/** Which lines of a source are wanted. */
export interface LogWish extends Pick<ParsedParams<"logs">, "tail" | "follow"> {
  readonly stream?: "stdout" | "stderr" | undefined;
  readonly since_unix_ms?: number | undefined;
  readonly transitions?: boolean;
}

/**
 * One subscription to a log. Lines go to the reader as fast as it takes them; what it does not take in time
 * is dropped for it alone, counted, and told.
 */
export class LogSubscription {
  readonly id: number;
  readonly #source: LogSource;
  readonly #caller: Caller;
  readonly #query: LogWish;
  readonly #snapshot: LogSnapshot;
  readonly #onEnd: () => void;
  #stop: () => void = () => {};
  readonly #forget: () => void;
  #unwatch: () => void = () => {};
  #missed = 0;
  #full = false;
  #ended = false;
  /** Nothing comes after what waits to be sent. */
  #isLast = false;
  /** Lines that came while the older ones were being sent. */
  #early: LogLine[] | undefined = [];

  /** What is in the files now is the past, every later line comes through the listener: none twice, none lost. */
  constructor(id: number, source: LogSource, caller: Caller, query: LogWish, onEnd: () => void) {
    this.id = id;
    this.#source = source;
    this.#caller = caller;
    this.#query = source.isOver ? { ...query, follow: false } : query;
    this.#onEnd = onEnd;
    this.#snapshot = new LogSnapshot(source.log.dir);
    if (this.#query.follow) this.#stop = source.log.onLine((line) => this.#live(line));
    if (query.follow && query.transitions) this.#unwatch = source.onTransition((each) => this.#tell(each));
    this.#forget = source.onEnd(() => this.#sourceEnded());
    caller.gone.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Sends the lines of the past, in pieces that the reader can take. */
  begin(): void {
    const { tail, since_unix_ms, stream } = this.#query;
    const { since = since_unix_ms, until } = this.#source;
    const lines = this.#snapshot.lastLines({
      tail,
      since,
      until,
      stream: stream === undefined ? undefined : FILE_STREAM[stream],
    });
    this.#snapshot.close();
    this.#sendPast(lines, 0);
  }

  #sendPast(lines: readonly LogLine[], from: number): void {
    for (let i = from; i < lines.length && !this.#ended; i++) {
      if (this.#send(lines[i] as LogLine) > MOST_WAITING) {
        this.#caller.onDrain(() => this.#sendPast(lines, i + 1));
        return;
      }
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    if (this.#query.follow) for (const line of early) this.#live(line);
    if (!this.#query.follow || this.#isLast) this.end();
  }

  /** What came before is still to be sent. */
  #sourceEnded(): void {
    if (this.#early === undefined) this.end();
    else this.#isLast = true;
  }

  #live(line: LogLine): void {
    if (this.#query.stream !== undefined && FILE_STREAM[this.#query.stream] !== line.stream) return;
    if (this.#early && this.#early.length < MOST_EARLY) this.#early.push(line);
    else if (this.#early || this.#full) this.#missed++;
    else if (this.#send(line) > MOST_WAITING) this.#pause();
  }

  #pause(): void {
    this.#full = true;
    this.#caller.onDrain(() => {
      this.#full = false;
    });
  }

  #send(line: LogLine): number {
    const params: Notifications["log"] = {
      subscription_id: this.id,
      name: this.#source.name,
      stream: line.stream === "out" ? "stdout" : "stderr",
      line: line.bytes.toString("utf8"),
      ts_unix_ms: line.at,
      ...(this.#missed > 0 ? { missed: this.#missed } : {}),
      ...(line.split ? { split: true } : {}),
    };
    this.#missed = 0;
    return this.#caller.notify("log", params);
  }

  #tell({ from, to, at, reason }: Transition): void {
    const { name } = this.#source;
    const why = reason === undefined ? {} : { reason };
    this.#caller.notify("transition", { subscription_id: this.id, name, from, to, ...why, at_unix_ms: at });
  }

  /** Tells the reader that nothing more will come. */
  end(): void {
    if (this.#ended) return;
    const missed = this.#missed;
    this.#close();
    this.#caller.notify("log_end", { subscription_id: this.id, ...(missed > 0 ? { missed } : {}) });
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    this.#unwatch();
    this.#forget();
    this.#snapshot.close();
    this.#onEnd();
  }
}

const MOST_EARLY = 10_000;
const FILE_STREAM = { stdout: "out", stderr: "err" } as const;
