import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ServerSpec } from "../../src/model/spec.ts";
import { isAlive } from "./processes.ts";
import { type SpecChanges, serverSpec } from "./spec.ts";

/** What a puppet can be told to do: see puppet-program.pl. */
export type Deed =
  | { readonly deed: "print"; readonly stream: "out" | "err"; readonly from: number; readonly to: number }
  | { readonly deed: "write"; readonly stream: "out" | "err"; readonly text: string }
  | { readonly deed: "chatter"; readonly lines: number; readonly everyMs: number }
  | { readonly deed: "hush" }
  | { readonly deed: "ignore"; readonly signal: NodeJS.Signals }
  | { readonly deed: "fork" }
  | { readonly deed: "listen"; readonly port: number }
  | { readonly deed: "visits"; readonly times: number }
  | { readonly deed: "exit"; readonly code: number };

interface Hello {
  readonly name: string;
  readonly pid: number;
  readonly ppid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly umask: number;
}

/** One process that xy started, in the hands of the test. */
export class Puppet {
  readonly hello: Hello;
  /** Settles when the process has ended. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #answers = new Map<number, (value: unknown) => void>();
  #calls = 0;

  constructor(socket: Socket, hello: Hello) {
    this.#socket = socket;
    this.hello = hello;
    this.gone = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  get pid(): number {
    return this.hello.pid;
  }

  /** Settles with the puppet's answer; never, when the puppet ends before it has answered. */
  do(deed: Deed): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      const words = Object.entries({ id, ...deed }).map(
        ([key, value]) => `${key}=${encodeURIComponent(value)}`,
      );
      this.#socket.write(`${words.join(" ")}\n`);
    });
  }

  /** Told of by a puppet that ignores a signal, each time it comes. */
  readonly ignored: NodeJS.Signals[] = [];

  /** Settles when a signal that it ignores has come. */
  async ignores(): Promise<void> {
    while (this.ignored.length === 0) await once(this.#socket, "ignored");
  }

  heard(signal: NodeJS.Signals): void {
    this.ignored.push(signal);
    this.#socket.emit("ignored");
  }

  answered(id: number, value: unknown): void {
    this.#answers.get(id)?.(value);
    this.#answers.delete(id);
  }

  /** Ends the process with this code. */
  async exit(code: number): Promise<void> {
    void this.do({ deed: "exit", code });
    await this.gone;
  }
}

export const PUPPET = join(import.meta.dirname, "puppet-program.pl");

/** Where puppets come as soon as they run. */
export class Stage {
  readonly path: string;
  /** Every process that came, in order, as `name pid`. */
  readonly entries: string[] = [];
  /** Processes that came while an earlier one of the same name was still alive. There must be none. */
  readonly doubles: string[] = [];
  readonly #server: Server;
  readonly #pids = new Map<string, number>();
  readonly #waiting = new Map<string, Puppet[]>();
  readonly #sockets = new Set<Socket>();

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#welcome(socket));
  }

  static async open(root: string): Promise<Stage> {
    const stage = new Stage(join(root, "stage"));
    stage.#server.listen(stage.path);
    await once(stage.#server, "listening");
    return stage;
  }

  /** A server whose processes come here. */
  spec(name: string, over: SpecChanges & { readonly extra?: readonly string[] } = {}): ServerSpec {
    const { extra = [], ...changes } = over;
    return serverSpec(name, "/usr/bin/perl", [PUPPET, this.path, name, ...extra], changes);
  }

  /** The next process of that name: one that came already, or one that is still to come. */
  async next(name: string): Promise<Puppet> {
    for (;;) {
      const puppet = this.#waiting.get(name)?.shift();
      if (puppet) return puppet;
      await once(this.#server, "puppet");
    }
  }

  /** How many processes of that name have come so far. */
  count(name: string): number {
    return this.entries.filter((entry) => entry.startsWith(`${name} `)).length;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #welcome(socket: Socket): void {
    let puppet: Puppet | undefined;
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.hello) puppet = this.#enter(socket, message.hello);
      if (message.ignored) puppet?.heard(message.ignored);
      if (message.id !== undefined) puppet?.answered(message.id, message.value);
    });
  }

  #enter(socket: Socket, hello: Hello): Puppet {
    const { name, pid } = hello;
    const before = this.#pids.get(name);
    if (before !== undefined && isAlive(before))
      this.doubles.push(`${name}: ${pid} came while ${before} lived`);
    this.#pids.set(name, pid);
    this.entries.push(`${name} ${pid}`);
    const puppet = new Puppet(socket, hello);
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), puppet]);
    this.#server.emit("puppet");
    return puppet;
  }
}
