import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Command } from "../measure.ts";
import type { Place } from "../place.ts";
import type { Peer, Program } from "./peer.ts";

/** Keeps a shell around each program, as xy does, and nothing else: no record, no output, no check, no command line. */
const MANAGER = `
const { spawn } = require("node:child_process");
const kept = new Map();
const start = (name, script) => {
  const child = spawn("/bin/sh", ["-c", 'sh -c "$1"; exit $?', "sh", script], { detached: true, stdio: "ignore" });
  kept.set(name, child);
  child.once("exit", () => kept.get(name) === child && start(name, script));
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  for (const { name, script } of JSON.parse(line)) start(name, script);
  if (line === "[]")
    for (const [name, { pid }] of kept) {
      kept.delete(name);
      process.kill(-pid);
    }
  console.log("done");
});
`;

/** The minimum in Node: anything beyond this is the cost of what else a manager does. */
export class Floor implements Peer {
  readonly name = "floor: bare node, a shell around each";
  readonly version = "";
  readonly list: Command = { argv: ["true"], env: {} };
  readonly #manager: ChildProcess;
  readonly #answers: Interface;
  #programs: readonly Program[] = [];

  private constructor(place: Place) {
    const { env } = place.home();
    this.#manager = spawn(process.execPath, ["-e", MANAGER], { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#manager.stdout as NodeJS.ReadableStream });
  }

  static async open(place: Place): Promise<Floor> {
    const floor = new Floor(place);
    await once(floor.#manager, "spawn");
    return floor;
  }

  async declare(programs: readonly Program[]): Promise<void> {
    this.#programs = programs;
  }

  apply(): Promise<void> {
    return this.#tell(this.#programs);
  }

  destroy(): Promise<void> {
    return this.#tell([]);
  }

  pids(): number[] {
    return [this.#manager.pid as number];
  }

  async close(): Promise<void> {
    this.#manager.kill();
    await once(this.#manager, "exit");
  }

  async #tell(programs: readonly Program[]): Promise<void> {
    this.#manager.stdin?.write(`${JSON.stringify(programs)}\n`);
    await once(this.#answers, "line");
  }
}
