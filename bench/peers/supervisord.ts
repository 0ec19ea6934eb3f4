import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, run, until } from "../measure.ts";
import type { Place } from "../place.ts";
import type { Peer, Program } from "./peer.ts";

export class Supervisord implements Peer {
  readonly name = "supervisord";
  readonly version: string;
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor({ path, env }: { path: string; env: NodeJS.ProcessEnv }, version: string) {
    this.home = path;
    this.#env = env;
    this.version = version;
  }

  static async open(place: Place): Promise<Supervisord> {
    const home = place.home();
    const { stdout } = await run({ argv: ["supervisord", "--version"], env: home.env });
    const peer = new Supervisord(home, stdout.trim());
    await peer.#start();
    return peer;
  }

  async #start(): Promise<void> {
    for (const folder of ["units", "logs"]) mkdirSync(join(this.home, folder));
    const lines = [
      "[unix_http_server]",
      `file=${this.home}/sock`,
      "[rpcinterface:supervisor]",
      "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
      "[supervisorctl]",
      `serverurl=unix://${this.home}/sock`,
      "[supervisord]",
      `logfile=${this.home}/supervisord.log`,
      `pidfile=${this.home}/pid`,
      `childlogdir=${this.home}/logs`,
      "minfds=8192",
      "[include]",
      `files=${this.home}/units/*.conf`,
    ];
    const conf = join(this.home, "supervisord.conf");
    writeFileSync(conf, `${lines.join("\n")}\n`);
    spawn("supervisord", ["-n", "-c", conf], { env: this.#env, cwd: this.home, stdio: "ignore" });
    const [socket, pid] = ["sock", "pid"].map((name) => join(this.home, name)) as [string, string];
    await until("supervisord serves", () => existsSync(socket) && existsSync(pid));
  }

  #command(...args: string[]): Command {
    const conf = join(this.home, "supervisord.conf");
    return { argv: ["supervisorctl", "-c", conf, ...args], env: this.#env, cwd: this.home };
  }

  get list(): Command {
    return this.#command("status");
  }

  /** `more`: further lines for each. */
  async declare(programs: readonly Program[], more: readonly string[] = []): Promise<void> {
    for (const { name, script } of programs) {
      const command = `/bin/sh -c ${JSON.stringify(script.replaceAll("%", "%%"))}`;
      // Settings that make it restart as soon as possible.
      const lines = [`[program:${name}]`, `command=${command}`, "startsecs=0", "autorestart=true", ...more];
      writeFileSync(join(this.home, "units", `${name}.conf`), `${lines.join("\n")}\n`);
    }
  }

  async apply(): Promise<void> {
    await run(this.#command("update"));
  }

  async destroy(): Promise<void> {
    for (const file of readdirSync(join(this.home, "units"))) rmSync(join(this.home, "units", file));
    await run(this.#command("update"));
  }

  pids(): number[] {
    return [Number(readFileSync(join(this.home, "pid"), "utf8"))];
  }

  async close(): Promise<void> {
    await run(this.#command("shutdown"));
  }
}
