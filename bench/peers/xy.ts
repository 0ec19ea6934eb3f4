import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, parentOf, run } from "../measure.ts";
import type { Place } from "../place.ts";
import type { Peer, Program } from "./peer.ts";

const ROOT = join(import.meta.dirname, "../..");
const LAUNCHER = join(ROOT, "bin/xy.js");

export class Xy implements Peer {
  readonly name = "xy";
  readonly version = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version as string;
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(place: Place) {
    const { path, env } = place.home();
    this.home = path;
    this.#env = env;
  }

  static async open(place: Place): Promise<Xy> {
    return new Xy(place);
  }

  command(...args: string[]): Command {
    return { argv: [process.execPath, LAUNCHER, ...args], env: this.#env, cwd: join(this.home, "tools") };
  }

  get list(): Command {
    return this.command("list");
  }

  get socket(): string {
    return this.#agent.socket;
  }

  get agentPid(): number {
    return this.#agent.pid;
  }

  /** `more`: further lines of KDL for each. */
  declare(programs: readonly Program[], more = 'port "none"'): Promise<void> {
    return this.declareEach(programs.map((program) => ({ ...program, more })));
  }

  async declareEach(programs: readonly (Program & { readonly more: string })[]): Promise<void> {
    const folder = join(this.home, "tools/servers.d");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const { name, script, more } of programs)
      writeFileSync(
        join(folder, `${name}.kdl`),
        `command "sh"\nargs "-c" ${JSON.stringify(script)}\n${more}\n`,
      );
    writeFileSync(join(this.home, "tools/xy.config.kdl"), 'project "tools"\n');
    await run(this.command("agent", "start"));
  }

  /** Does not wait until each is proved ready: no other manager does. */
  async apply(): Promise<void> {
    await run(this.command("apply", "--yes", "--no-wait"));
  }

  async destroy(): Promise<void> {
    await run(this.command("destroy", "--yes"));
  }

  /** The agent and the keepers: each server's parent. */
  pids(servers: readonly number[] = []): number[] {
    return [...new Set([this.agentPid, ...servers.map(parentOf)])].filter((pid) => pid > 1);
  }

  async close(): Promise<void> {
    await run(this.command("agent", "stop"));
  }

  get #agent(): { pid: number; socket: string } {
    return JSON.parse(readFileSync(join(this.home, ".local/state/xy/agent.json"), "utf8"));
  }
}
