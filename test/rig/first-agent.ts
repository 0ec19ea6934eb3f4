import { execFile, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootId, identify } from "../../src/system/processes.ts";
import type { Home } from "./home.ts";

/** What the first agent left, with one of its servers running: see first-agent-state/README.md. */

const FIXTURE = join(import.meta.dirname, "first-agent-state");
/** Longest wait for what the server of then says, ms: there to end a broken test. */
const BOUND = 60_000;

export interface FirstAgent {
  /** The folder with the configuration that had been applied. */
  readonly project: string;
  /** For commands: what was applied depends on it, and on no folder of this test. */
  readonly env: Readonly<Record<string, string>>;
  /** Of its server `web`, which prints `told` on SIGUSR1, and ends with 7 on SIGUSR2. */
  readonly pid: number;
}

/** Lays its state down in this home, and starts `web` as it did. It has read all that was said so far. */
export async function firstAgentLeft(home: Home): Promise<FirstAgent> {
  const project = join(home.root, "tools");
  cpSync(join(FIXTURE, "servers.d"), join(project, "servers.d"), { recursive: true });
  cpSync(join(FIXTURE, "state"), home.state, { recursive: true });
  const pid = await startWeb(join(home.state, "projects/tools/servers/web"));
  const { start } = identify(pid) ?? {};
  // Its own number has been given to another process since.
  const facts = { ROOT: home.root, BOOT: bootId(), PID: pid, START: start, AGENT_PID: process.pid };
  fillIn(home.state, facts);
  const { PATH, XDG_CONFIG_HOME, XDG_STATE_HOME } = home.env as Record<string, string>;
  const env = { PATH, XDG_CONFIG_HOME, XDG_STATE_HOME, HOME: "/home/ann", TOKEN: "sesame" };
  return { project, env: env as Record<string, string>, pid };
}

async function startWeb(server: string): Promise<number> {
  const { spec, secrets } = JSON.parse(readFileSync(join(server, "spec.json"), "utf8"));
  const dir = join(server, "run/1");
  mkdirSync(dir, { recursive: true });
  const fifos = ["out", "err", "alive", "release"].map((name) => join(dir, name));
  await promisify(execFile)("mkfifo", ["-m", "600", ...fifos]);
  const script = readFileSync(join(FIXTURE, "keeper.sh"), "utf8");
  const { program, args, umask, limits, workingDir, env } = spec;
  const about = [dir, umask.toString(8), String(limits.openFiles), program, ...args];
  spawn("/bin/sh", ["-c", `\n${script}`, "xy-keeper:tools/web", ...about], {
    cwd: workingDir,
    env: { ...env, ...secrets },
    detached: true,
    stdio: "ignore",
  }).unref();
  await lineOf(join(dir, "out"));
  return Number((await lineOf(join(dir, "alive"))).replace("pid ", ""));
}

async function lineOf(fifo: string): Promise<string> {
  const { stdout } = await promisify(execFile)("head", ["-n", "1", fifo], { timeout: BOUND });
  return stdout;
}

/** Puts facts in place of `@NAME@`, numbers without the quotes, and makes everything private again. */
function fillIn(state: string, facts: Readonly<Record<string, string | number | undefined>>): void {
  chmodSync(state, 0o700);
  for (const file of readdirSync(state, { recursive: true, encoding: "utf8" })) {
    const path = join(state, file);
    const stat = statSync(path);
    if (stat.isDirectory()) chmodSync(path, 0o700);
    if (!stat.isFile() || file.includes("/run/")) continue;
    const text = readFileSync(path, "utf8");
    const filled = Object.entries(facts).reduce(
      (so, [name, fact]) =>
        typeof fact === "number"
          ? so.replaceAll(`"@${name}@"`, String(fact))
          : so.replaceAll(`@${name}@`, fact ?? ""),
      text,
    );
    writeFileSync(path, filled);
    chmodSync(path, 0o600);
  }
}
