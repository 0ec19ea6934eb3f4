import { setImmediate as nextTurn } from "node:timers/promises";
import { LONGEST_MATCHED } from "../../model/expression.ts";
import type { Transition } from "../../model/observed.ts";
import type { Redactor } from "../../model/redact.ts";
import { linesIn } from "../../model/text.ts";
import type { ParsedParams } from "../../rpc/contract.ts";
import { encodeFrame } from "../../rpc/framing.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { type Caller, notification } from "../api/rpc-server.ts";
import { A_TURN } from "./line-search.ts";
import { type LogQuery, LogSnapshot } from "./log-reader.ts";
import { type LogBlock, type LogLine, linesOf } from "./log-record.ts";
import { lastMatching, type Search } from "./log-search.ts";
import type { LogListener, LogWriter } from "./log-writer.ts";
import { ShownLines } from "./shown-lines.ts";

/** Bytes that may wait for a reader before it is sent no more. */
const MOST_WAITING = 1024 * 1024;

/** What prints: a server, or a job. */
export interface LogSource {
  readonly name: string;
  readonly log: Pick<LogWriter, "dir" | "onOutput">;
  onTransition(callback: (transition: Transition) => void): () => void;
  /** Calls back when nothing more will come. Returns how to take that back. */
  onEnd(callback: () => void): () => void;
  /** Nothing more will come: there is nothing to follow. */
  readonly isOver: boolean;
  /** Lines that a reader may be behind. One that is further behind gets the newest. */
  readonly mostBehind: number;
  /** Unix ms: only the lines of this time are of it. */
  readonly since?: number;
  readonly until?: number;
  /** Knows its secrets. */
  readonly redactor?: Pick<Redactor, "text" | "unfinished" | "longest">;
}

/** Which lines of a source are wanted. */
export interface LogWish extends Pick<ParsedParams<"logs">, "tail" | "follow"> {
  readonly stream?: "stdout" | "stderr" | undefined;
  readonly since_unix_ms?: number | undefined;
  readonly transitions?: boolean;
  /** Nothing is left out. */
  readonly raw?: boolean;
  readonly until_unix_ms?: number | undefined;
  /** Which of them, as they are shown. */
  readonly matches?: (text: string) => boolean;
}

/**
 * One subscription to a log. Lines go to the reader as fast as it takes them. While it takes none they are only
 * counted, and read from the files once it continues; for lines that are gone, or too many, it gets their number.
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
  /** Missed lines, whose number is sent with the next one. */
  #missed = 0;
  #ended = false;
  /** Nothing follows what is waiting to be sent. */
  #isLast = false;
  /** Older lines are being sent, or the reader has enough for now. */
  #isBusy = true;
  /** Lines that came meanwhile: the last ones in the files. */
  #behind = 0;
  /** Unix ms of the first of them. */
  #behindSince = 0;
  readonly #shown: ShownLines;

  /** What is in the files now is the past, every later line comes through the listener: none twice, none lost. */
  constructor(id: number, source: LogSource, caller: Caller, query: LogWish, onEnd: () => void) {
    this.id = id;
    this.#source = source;
    this.#caller = caller;
    this.#query = source.isOver ? { ...query, follow: false } : query;
    this.#onEnd = onEnd;
    this.#shown = this.#newShown();
    this.#snapshot = new LogSnapshot(source.log.dir);
    const output: LogListener = {
      line: (line) => this.#live(line),
      block: (block) => this.#liveBlock(block),
    };
    if (this.#query.follow) this.#stop = source.log.onOutput(output);
    if (query.follow && query.transitions) this.#unwatch = source.onTransition((each) => this.#tell(each));
    this.#forget = source.onEnd(() => this.#sourceEnded());
    caller.gone.addEventListener("abort", () => this.#close(), { once: true });
  }

  #newShown(): ShownLines {
    return new ShownLines(this.#query.raw ? undefined : this.#source.redactor);
  }

  /** Sends the lines of the past, in pieces that the reader can take. */
  begin(): void {
    const { tail, since_unix_ms, until_unix_ms, matches } = this.#query;
    const { since = since_unix_ms, until = until_unix_ms } = this.#source;
    // Whoever follows gets a line once it is whole.
    const unfinished = !this.#query.follow;
    const query = { tail, since, until, stream: this.#stream, unfinished };
    if (matches) {
      void this.#sendMatching({ ...query, matches });
      return;
    }
    const lines = this.#snapshot.lastLines(query);
    this.#snapshot.close();
    void this.#sendPast(lines);
  }

  async #sendMatching(query: LogQuery & Pick<Search, "matches">): Promise<void> {
    const isOver = () => this.#ended;
    const shown = { newest: this.#shown, shown: () => this.#newShown() };
    const found = await lastMatching(this.#snapshot, { ...query, ...shown, isOver });
    this.#snapshot.close();
    for (const { text, ...line } of found) {
      if (this.#ended) return;
      await this.#room(this.#notify(line, text));
    }
    this.#goOn();
  }

  async #sendPast(lines: readonly LogLine[]): Promise<void> {
    const { matches } = this.#query;
    let work = 0;
    for (const line of lines) {
      if (this.#ended) return;
      const waiting = this.#send(line);
      if (waiting > MOST_WAITING) await this.#room(waiting);
      if (!matches) continue;
      work += Math.min(line.bytes.length, LONGEST_MATCHED) + 1;
      if (work < A_TURN) continue;
      work = 0;
      await nextTurn();
    }
    this.#goOn();
  }

  /** Waits until the reader has taken what waits for it, if that is too much. */
  async #room(waiting: number): Promise<void> {
    if (waiting > MOST_WAITING) await new Promise<void>((resolve) => this.#caller.onDrain(resolve));
  }

  /** The reader has taken everything that was sent. */
  #goOn(): void {
    if (this.#ended) return;
    if (this.#behind > 0) void this.#sendPast(this.#linesBehind());
    else if (this.#isLast || !this.#query.follow) this.end();
    else this.#isBusy = false;
  }

  #linesBehind(): LogLine[] {
    const behind = this.#behind;
    this.#behind = 0;
    const snapshot = new LogSnapshot(this.#source.log.dir);
    try {
      const tail = Math.min(behind, this.#source.mostBehind);
      // What could not be written must not bring back what was sent before.
      const lines = snapshot.lastLines({ tail, since: this.#behindSince, stream: this.#stream });
      this.#missed += behind - lines.length;
      // Those that could not be written are among them.
      return lines.map(({ missed: _, ...line }) => line);
    } finally {
      snapshot.close();
    }
  }

  /** What came before is still to be sent. */
  #sourceEnded(): void {
    if (this.#isBusy) this.#isLast = true;
    else this.end();
  }

  #live(line: LogLine): void {
    if (this.#stream !== undefined && this.#stream !== line.stream) return;
    if (this.#isBusy || this.#query.matches) this.#fallBehind(1, line.at);
    else this.#restAfter(this.#send(line));
  }

  /** As many live lines, but put into frames by what the engine does in one go. */
  #liveBlock(block: LogBlock): void {
    if (this.#stream !== undefined && this.#stream !== block.stream) return;
    if (this.#isBusy || this.#query.matches) this.#fallBehind(linesIn(block.bytes), block.at);
    // The first of them tells how many came before.
    else if (this.#missed > 0 || this.#shown.hasSecret(block.bytes))
      for (const line of linesOf(block)) this.#live(line);
    else {
      const frame = encodeFrame(notification("log", this.#params({ ...block, split: false }, PLACE)));
      this.#restAfter(this.#caller.send(framesOf(frame, block.bytes)));
    }
  }

  #fallBehind(lines: number, at: number): void {
    if (this.#behind === 0) this.#behindSince = at;
    this.#behind += lines;
    // Of one that looks for a pattern: matching them must not keep their sender waiting.
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => this.#goOn());
  }

  /** A reader that has this much waiting gets no more for now. */
  #restAfter(waiting: number): void {
    if (waiting <= MOST_WAITING) return;
    this.#isBusy = true;
    this.#caller.onDrain(() => this.#goOn());
  }

  get #stream(): LogLine["stream"] | undefined {
    const { stream } = this.#query;
    return stream && FILE_STREAM[stream];
  }

  /** Answers with the bytes that wait to be read. */
  #send(line: LogLine): number {
    this.#missed += line.missed ?? 0;
    const text = this.#shown.text(line);
    return this.#query.matches?.(text) === false ? 0 : this.#notify(line, text);
  }

  #notify(line: Pick<LogLine, "at" | "stream" | "split">, text: string): number {
    const params = this.#params(line, text);
    this.#missed = 0;
    return this.#caller.notify("log", params);
  }

  /** The rest of a long line has not come, and will not. */
  #sendHeld(): void {
    for (const { text, ...line } of this.#shown.rest())
      if (this.#query.matches?.(text) !== false) this.#notify({ ...line, split: false }, text);
  }

  #params(
    { at, stream, split }: Pick<LogLine, "at" | "stream" | "split">,
    line: string,
  ): Notifications["log"] {
    return {
      subscription_id: this.id,
      name: this.#source.name,
      stream: stream === "out" ? "stdout" : "stderr",
      line,
      ts_unix_ms: at,
      ...(this.#missed > 0 ? { missed: this.#missed } : {}),
      ...(split ? { split: true } : {}),
    };
  }

  #tell({ from, to, at, reason }: Transition): void {
    const { name } = this.#source;
    const why = reason === undefined ? {} : { reason };
    this.#caller.notify("transition", { subscription_id: this.id, name, from, to, ...why, at_unix_ms: at });
  }

  /** Tells the reader that no more lines will come. */
  end(): void {
    if (this.#ended) return;
    this.#sendHeld();
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

/** Stands in a frame where a line will. No name has such a character. */
export const PLACE = "\0";
const BACKSLASH = 0x5c;

/** The frame once for each line of the block, with the line in its place. */
export function framesOf(frame: string, block: Buffer): string {
  const [head, tail] = frame.split(JSON.stringify(PLACE)) as [string, string];
  const text = block.toString("utf8", 0, block.length - 1);
  // Where no backslash is, each `\n` of the JSON text is the end of a line: all lines are encoded at once.
  if (!block.includes(BACKSLASH))
    return `${head}${JSON.stringify(text).replaceAll("\\n", `"${tail}${head}"`.replaceAll("$", "$$$$"))}${tail}`;
  let frames = "";
  for (const line of text.split("\n")) frames += `${head}${JSON.stringify(line)}${tail}`;
  return frames;
}

const FILE_STREAM = { stdout: "out", stderr: "err" } as const;
