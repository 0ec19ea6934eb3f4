import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, run } from "../measure.ts";
import type { Place } from "../place.ts";
import type { Peer, Program } from "./peer.ts";

export class Pm2 implements Peer {
  readonly name = "pm2";
  readonly version: string;
  readonly #home: string;
  readonly #bin: string;
  readonly #env: NodeJS.ProcessEnv;

  static #fetched: Promise<string> | undefined;

  private constructor(home: { path: string; env: NodeJS.ProcessEnv }, folder: string) {
    this.#home = home.path;
    this.#env = { ...home.env, PM2_HOME: join(home.path, "pm2") };
    this.#bin = join(folder, "bin/pm2");
    this.version = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  }

  static async open(place: Place): Promise<Pm2> {
    Pm2.#fetched ??= fetched(place);
    return new Pm2(place.home(), await Pm2.#fetched);
  }

  #command(...args: string[]): Command {
    return { argv: [process.execPath, this.#bin, ...args], env: this.#env, cwd: this.#home };
  }

  get list(): Command {
    return this.#command("ls");
  }

  async declare(programs: readonly Program[]): Promise<void> {
    const apps = programs.map(({ name, script }) => ({
      name,
      script: "/bin/sh",
      args: ["-c", script],
      interpreter: "none",
      max_restarts: 1_000_000,
      merge_logs: true,
    }));
    writeFileSync(join(this.#home, "ecosystem.json"), JSON.stringify({ apps }));
    await run(this.#command("ping"));
  }

  async apply(): Promise<void> {
    await run(this.#command("start", "ecosystem.json"));
  }

  async destroy(): Promise<void> {
    await run(this.#command("delete", "all"));
  }

  pids(): number[] {
    return [Number(readFileSync(join(this.#home, "pm2/pm2.pid"), "utf8"))];
  }

  async close(): Promise<void> {
    await run(this.#command("kill"));
  }
}

/** Once per run of the bench: `npx` in each command would distort every figure. */
async function fetched(place: Place): Promise<string> {
  const { path: cwd, env } = place.home();
  const argv = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "pm2@7"] as const;
  await run({ argv: [...argv], env: { ...env, npm_config_cache: join(cwd, "npm") }, cwd });
  return join(cwd, "node_modules/pm2");
}
