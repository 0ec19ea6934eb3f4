import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, run } from "../measure.ts";
import type { Place } from "../place.ts";
import type { Peer, Program } from "./peer.ts";

const SCRIPT = join(import.meta.dirname, "../../test/rig/user-systemd.sh");

/** A `systemd --user` in a namespace of its own. */
export class Systemd implements Peer {
  readonly name = "systemd --user";
  readonly version: string;
  readonly #home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #child: ChildProcess;
  readonly #manager: number;
  #units: string[] = [];

  private constructor(
    path: string,
    env: NodeJS.ProcessEnv,
    child: ChildProcess,
    manager: number,
    version: string,
  ) {
    this.#home = path;
    this.#env = env;
    this.#child = child;
    this.#manager = manager;
    this.version = version;
  }

  static async open(place: Place): Promise<Systemd> {
    const { path, env } = place.home();
    const version = (await run({ argv: ["systemctl", "--version"], env })).stdout.split(" ")[1] ?? "?";
    const argv = [SCRIPT, path, "bash", "-c", "pgrep -n -x systemd; read -r _"];
    const child = spawn("bash", argv, {
      env: { ...env, SHARED_PIDS: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text;
    });
    const [first] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    if (!Buffer.isBuffer(first)) throw new Error(`cannot start: ${said.trim() || "it ended"}`);
    const inside = {
      ...env,
      XDG_RUNTIME_DIR: `/run/user/${process.getuid?.()}`,
      XDG_CONFIG_HOME: join(path, ".config"),
    };
    return new Systemd(path, inside, child, Number(first.toString().trim().split("\n").at(-1)), version);
  }

  #command(...args: string[]): Command {
    const ns = `--mount=/proc/${this.#manager}/ns/mnt`;
    return { argv: ["nsenter", ns, "systemctl", "--user", ...args], env: this.#env, cwd: "/" };
  }

  get list(): Command {
    return this.#command("list-units", "--no-pager", "s0*.service");
  }

  get #folder(): string {
    return join(this.#home, ".config/systemd/user");
  }

  async declare(programs: readonly Program[]): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#units = programs.map(({ name }) => `${name}.service`);
    for (const { name, script } of programs) {
      const exec = `/bin/sh -c ${JSON.stringify(script.replaceAll("$", "$$$$").replaceAll("%", "%%"))}`;
      const lines = [
        "[Unit]",
        "StartLimitIntervalSec=0",
        "[Service]",
        `ExecStart=${exec}`,
        "Restart=always",
        "RestartSec=0",
      ];
      writeFileSync(join(this.#folder, `${name}.service`), `${lines.join("\n")}\n`);
    }
  }

  async apply(): Promise<void> {
    await run(this.#command("daemon-reload"));
    await run(this.#command("start", ...this.#units));
  }

  async destroy(): Promise<void> {
    await run(this.#command("stop", ...this.#units));
    for (const file of readdirSync(this.#folder)) rmSync(join(this.#folder, file), { recursive: true });
    await run(this.#command("daemon-reload"));
  }

  pids(): number[] {
    return [this.#manager];
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
