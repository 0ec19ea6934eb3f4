import * as fs from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import type { LogWriter } from "../logs/log-writer.ts";
import { type RunFiles, readNow } from "./run-folder.ts";

/** Longest incomplete message that is kept, characters. */
const LONGEST_MESSAGE = 1024;
/**
 * The buffer that every fifo is read into: each read is processed before the next. With one buffer for each fifo, a
 * hundred servers would take 20 MiB, and forking the agent for each further program would take longer.
 */
const CHUNK = Buffer.allocUnsafeSlow(64 * 1024);

/** What a keeper reports. */
export interface KeeperWords {
  /** Its program runs with this pid, or has ended with this code. */
  said(word: "pid" | "exit", number: number): void;
  /** It is gone and will report nothing more. */
  silent(): void;
}

/** Reads the fifos of one run: the server's output, into its log, and what its keeper reports. */
export class RunReader {
  readonly #files: RunFiles;
  readonly #log: LogWriter;
  readonly #words: KeeperWords;
  readonly #sockets = new Map<keyof RunFiles, Socket>();
  #message = "";
  #closed = false;

  constructor(files: RunFiles, log: LogWriter, words: KeeperWords) {
    this.#files = files;
    this.#log = log;
    this.#words = words;
    this.#read("out");
    this.#read("err");
    const alive = this.#socket(files.alive, (chunk) => this.#takeMessage(chunk.toString("latin1")));
    alive.once("close", () => {
      if (!this.#closed) words.silent();
    });
    this.#sockets.set("alive", alive);
  }

  /** Reads what the pipes hold now. */
  drain(now: number): void {
    // Not the shared buffer: another run's read may be in it right now.
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (const stream of ["out", "err"] as const) {
      // A socket that reached its end has closed the descriptor, which may now be another file's.
      if (this.#sockets.get(stream)?.destroyed !== false) continue;
      for (let n = readNow(this.#files[stream], buffer); n > 0; n = readNow(this.#files[stream], buffer)) {
        this.#log.write(stream, buffer.subarray(0, n), now);
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #read(stream: "out" | "err"): void {
    const take = (chunk: Buffer) => this.#log.write(stream, chunk, Date.now());
    this.#sockets.set(stream, this.#socket(this.#files[stream], take));
  }

  /**
   * A socket reads a fifo with the event loop; a file stream would block a thread of the pool for each. `take` must
   * keep nothing of the chunk, which is overwritten by the next read.
   */
  #socket(fd: number, take: (chunk: Buffer) => void): Socket {
    const onread = {
      buffer: CHUNK,
      callback: (n: number) => {
        if (!this.#closed) take(CHUNK.subarray(0, n));
        return true;
      },
    };
    // The types know `onread` for connecting sockets only; Node reads it in the constructor.
    const options: SocketConstructorOpts & { onread: typeof onread } = {
      fd,
      readable: true,
      writable: false,
      onread,
    };
    const socket = new Socket(options);
    socket.on("error", () => socket.destroy());
    socket.resume();
    return socket;
  }

  #takeMessage(text: string): void {
    // A keeper writes short lines. Anything else was written by somebody who found the folder.
    this.#message = `${this.#message}${text}`.slice(-LONGEST_MESSAGE);
    for (let end = this.#message.indexOf("\n"); end !== -1; end = this.#message.indexOf("\n")) {
      const [, word, number] = /^(pid|exit) (\d+)$/.exec(this.#message.slice(0, end)) ?? [];
      this.#message = this.#message.slice(end + 1);
      if (word === "pid" || word === "exit") this.#words.said(word, Number(number));
    }
  }
}

/** Closes files that nobody reads any more. */
export function closeFiles(files: RunFiles): void {
  for (const fd of Object.values(files)) fs.closeSync(fd);
}
