import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { Lines } from "./lines.ts";

/**
 * One process of a server that speaks over stdin and stdout.
 *
 * It leads a process group, in which a shell waits for the end of a pipe from here: when the bridge is gone, however that
 * came about, the shell ends the group. The group's number belongs to nobody else as long as the shell is there.
 */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface ChildEvents {
  /** A line on stdout that begins like a message. */
  message(text: string): void;
  /** A line for people: from stderr, or from stdout and no message. */
  says(stream: "out" | "err", text: string): void;
  /** A message was longer than {@link LONGEST_MESSAGE}, and is lost. */
  lost(): void;
  /** It has ended, or could not be started; `why` is a clause, such as `it exited with 1: no such module`. Once. */
  ended(why: string): void;
}

/** Longest message of a server, bytes. */
export const LONGEST_MESSAGE = 32 * 1024 * 1024;
/** Longest line for people, bytes. */
const LONGEST_LINE = 64 * 1024;
/** From the end of its input to SIGTERM, and from that to SIGKILL, ms. */
const GRACE = { input: 1500, term: 2000 };
/** For what it printed before it exited to be read, ms. */
const LAST_READ = 200;
/** From the end of its output to that of itself, before it counts as one that will not answer any more, ms. */
const LAST_BREATH = 1000;
/** What is in its group after it has exited is given so long, ms. */
const LEFT_GRACE = 500;
/** Of what it printed last, characters that are told with its end. */
const LAST_WORDS = 300;
/** Most that may wait for it to read its input, bytes. */
const MOST_WAITING = 16 * 1024 * 1024;

const SCRIPT = `
{ trap '' HUP INT TERM; read -r _xy_told <&3 || { kill -TERM 0; sleep 2; kill -KILL 0; }; } </dev/null >/dev/null 2>&1 &
unset PWD OLDPWD SHLVL; exec "$@" 3<&-
`;

export class Child {
  readonly #process: ChildProcess;
  readonly #events: ChildEvents;
  readonly #stderr: Lines;
  readonly #exited: Promise<void>;
  #isEnding = false;
  #isOver = false;
  #lastWords = "";
  readonly gone: Promise<void>;

  constructor({ program, args }: Command, events: ChildEvents) {
    this.#events = events;
    this.#process = spawn("/bin/sh", ["-c", SCRIPT, "xy-bridge-child", program, ...args], {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    const { stdin, stdout, stderr } = this.#process;
    const lines = new Lines(
      LONGEST_MESSAGE,
      (text) => this.#line(text),
      () => events.lost(),
    );
    this.#stderr = new Lines(
      LONGEST_LINE,
      (text) => this.#says("err", text),
      () => this.#says("err", "(a longer line)"),
    );
    stdout
      ?.on("data", (chunk: Buffer) => lines.take(chunk))
      .on("end", () => {
        lines.end();
        this.#fallsSilent();
      });
    stderr?.on("data", (chunk: Buffer) => this.#stderr.take(chunk)).on("end", () => this.#stderr.end());
    // Their ends are told by the process.
    for (const stream of [stdin, stdout, stderr, this.#process.stdio[3]]) stream?.on("error", () => {});
    // Not the end of the process's last pipe, which the shell holds that guards it.
    const read = [stdout, stderr].map((stream) => new Promise<void>((end) => stream?.once("close", end)));
    this.#exited = new Promise((resolve) => {
      const end = (why: string) => {
        resolve();
        this.#end(why);
      };
      this.#process.once("error", (error) => end(`it could not be started: ${error.message}`));
      this.#process.once("exit", (code, signal) => {
        const say = () => end(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`);
        // What it said last is still in the pipes, which something that it has left behind may hold for ever.
        const late = setTimeout(say, LAST_READ);
        void Promise.all(read).then(() => {
          clearTimeout(late);
          say();
        });
      });
    });
    this.gone = this.#exited.then(() => this.#clear());
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** False: it takes nothing more. */
  send(line: string): boolean {
    const { stdin } = this.#process;
    if (this.#isOver || this.#isEnding || !stdin?.writable) return false;
    if (stdin.writableLength > MOST_WAITING) {
      this.#says("err", "(it does not read its input)");
      return false;
    }
    stdin.write(`${line}\n`);
    return true;
  }

  /** By the end of its input first, which lets it finish what it does. Settles when nothing of it is left. */
  async end(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#process.stdin?.end();
      const timers = [
        setTimeout(() => this.#signal("SIGTERM"), GRACE.input),
        setTimeout(() => this.#signal("SIGKILL"), GRACE.input + GRACE.term),
      ];
      void this.#exited.then(() => timers.forEach(clearTimeout));
    }
    await this.gone;
  }

  /** It can say nothing any more: either it is about to exit, or it is of no use. */
  #fallsSilent(): void {
    const late = setTimeout(() => {
      this.#end("it closed its output");
      void this.end();
    }, LAST_BREATH);
    void this.#exited.then(() => clearTimeout(late));
  }

  #line(text: string): void {
    if (/^\s*\{/.test(text)) this.#events.message(text);
    else if (text.trim() !== "") this.#says("out", text.slice(0, LONGEST_LINE));
  }

  #says(stream: "out" | "err", text: string): void {
    if (text.trim() !== "") this.#lastWords = text.trim().slice(0, LAST_WORDS);
    this.#events.says(stream, text);
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stderr.end();
    this.#events.ended(this.#lastWords === "" ? why : `${why}: ${this.#lastWords}`);
  }

  /** Whatever it has left in its group, the shell that guards it among it. */
  async #clear(): Promise<void> {
    if (this.#process.pid === undefined) return;
    if (this.#signal("SIGTERM")) await new Promise((resolve) => setTimeout(resolve, LEFT_GRACE));
    this.#signal("SIGKILL");
    (this.#process.stdio[3] as Socket | undefined)?.destroy();
    for (const stream of [this.#process.stdout, this.#process.stderr, this.#process.stdin]) stream?.destroy();
  }

  #signal(signal: NodeJS.Signals): boolean {
    try {
      return process.kill(-(this.#process.pid as number), signal);
    } catch {
      return false;
    }
  }
}
