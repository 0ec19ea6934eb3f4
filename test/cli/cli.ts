import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { identityOf, writeAgreement } from "../../src/operation/trust.ts";
import { livingLoop } from "../../src/system/loop.ts";
import { agentLoopPath } from "../../src/system/paths.ts";
import { AGENTS_OWN, endServersIn } from "../rig/home.ts";
import { descendants, killNow, processes } from "../rig/processes.ts";
import { Runners } from "../rig/runner.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { sharedOnTerminal } from "./transcript.ts";

/** Folder of the package. */
export const ROOT = join(import.meta.dirname, "../..");
export const LAUNCHER = join(ROOT, "bin/xy.js");
/** Longest run of one command, ms. Node's start and the start of an agent are in it. */
const BOUND = 60_000;

export interface Outcome {
  /** The signal's name for a command that a signal ended. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string | undefined>>;

export interface Where {
  /** Working folder; the project's when not given. */
  readonly cwd?: string;
  /** Beside HOME and PATH, or in place of them; undefined takes one away. */
  readonly env?: Env;
}

const runners = new Runners();

/** What a terminal prints that shows no more what is typed. */
const SILENT = "=== silent ===";

/** Variables that Node, or a module of it, looks at once, when it is loaded. */
const READ_AT_START = /^NODE_|COLOR|^TERM$|^TZ$|^LANG$|^LC_|^CI$|^DEBUG$|^XY_DEBUG$/;

const withoutGaps = (env: Env) =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** A new home for the running test. When the test is over its agent is stopped, and the home removed. */
export function newHome(): Home {
  const home = new Home();
  onTestFinished(() => home.close());
  return home;
}

/**
 * For a file whose tests start agents, and say nothing about how an agent starts, or about ids of jobs: makes homes as {@link newHome} does, but when a test is over its projects are destroyed and what it has written is
 * removed, and the next test has the home, with the agent that runs there. Call it where tests are declared.
 */
export function homesInTurn(): () => Home {
  const free: Home[] = [];
  afterAll(async () => {
    for (const home of free.splice(0)) await home.close();
  });
  return () => {
    const home = free.pop() ?? new Home();
    onTestFinished(async ({ task }) => {
      if (task.result?.state !== "fail" && (await home.clear())) free.push(home);
      else await home.close();
    });
    return home;
  };
}

/** The home of somebody who types `xy`, and a folder in it where configurations go. */
export class Home {
  readonly #folder = new SweptFolder();
  readonly path = this.#folder.path;
  readonly project = join(this.path, "tools");
  readonly state = join(this.path, ".local/state/xy");
  readonly #running = new Set<Running>();
  readonly #terminals = new Map<number, Running>();

  constructor() {
    mkdirSync(this.project);
  }

  /** Runs `xy` to its end, in the project's folder, without a terminal. */
  xy(...args: string[]): Promise<Outcome> {
    return this.xyIn({}, ...args);
  }

  /** In a process that commands share, one after the other; in an odd environment, in one of its own. */
  xyIn(where: Where, ...args: string[]): Promise<Outcome> {
    const env = { ...this.env, ...where.env };
    const isOdd = Object.keys(env).some((name) => READ_AT_START.test(name) && env[name] !== this.env[name]);
    const command = { args, cwd: where.cwd ?? this.project, env: withoutGaps(env) };
    const shared = isOdd ? undefined : runners.run(command);
    return (
      shared?.then((outcome) => this.#looked(args, outcome)) ??
      this.start(where, process.execPath, LAUNCHER, ...args).ended
    );
  }

  #looked(args: readonly string[], outcome: Outcome): Outcome {
    this.#folder.printed(args.join(" "), `${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  /** Runs `xy`, which must succeed, and answers with what it printed. */
  async did(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.xy(...args);
    expect(code, `xy ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** What `xy … --json` printed. */
  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.did(...args, "--json"));
  }

  /** Runs a shell line in which `xy` is the command. */
  shell(line: string, where: Where = {}): Promise<Outcome> {
    const quoted = `'${process.execPath}' '${LAUNCHER}'`;
    return this.start(where, "bash", "-c", `xy() { ${quoted} "$@"; }; ${line}`).ended;
  }

  /** Starts a program that goes on while the test does. */
  start(where: Where, program: string, ...args: string[]): Running {
    const running = new Running(program, args, {
      cwd: where.cwd ?? this.project,
      env: { ...this.env, ...where.env },
    });
    this.#running.add(running);
    void running.ended.then((outcome) => {
      this.#running.delete(running);
      this.#looked(args, outcome);
    });
    return running;
  }

  /** Starts `xy`, to be watched while it runs. */
  xyRunning(...args: string[]): Running {
    return this.start({}, process.execPath, LAUNCHER, ...args);
  }

  /** Runs a shell line, in which `xy` is the command, on a terminal of 24 rows. What it prints is in `stdout`. */
  terminal(line: string, { columns = 80, ...where }: Where & { columns?: number } = {}): Running {
    const env = { TERM: "xterm-256color", ...where.env };
    const script = `stty cols ${columns} rows 24; xy() { '${process.execPath}' '${LAUNCHER}' "$@"; }; ${line}`;
    return this.start(
      { ...where, env },
      "script",
      "-qefc",
      `exec bash -c '${script.replaceAll("'", "'\\''")}'`,
      "/dev/null",
    );
  }

  /**
   * Types a command on a terminal that all have that are typed on one of so many columns; `xy` is run in a process that
   * they share, without colours where `env` of the first says so. Answers with what came on the terminal.
   */
  async typed(
    command: string,
    { columns = 80, env = {} }: { columns?: number; env?: Env } = {},
  ): Promise<string> {
    let terminal = this.#terminals.get(columns);
    if (!terminal) {
      const script = [
        `stty cols ${columns} rows 24 -echo`,
        sharedOnTerminal(process.execPath, ROOT),
        `echo '${SILENT}'; while IFS= read -r line; do eval "$line"; done`,
      ].join("\n");
      const words = ["-qefc", `exec bash -c '${script.replaceAll("'", "'\\''")}'`, "/dev/null"];
      const there = { cwd: this.path, env: { ...this.env, TERM: "xterm-256color", ...env }, bound: 0 };
      terminal = new Running("script", words, there);
      this.#terminals.set(columns, terminal);
      await terminal.prints(SILENT);
    }
    const mark = `=== ${randomUUID()} ===`;
    const before = terminal.stdout.length;
    terminal.types(`cd '${this.project}' && ${command}; echo '${mark}'\n`);
    await terminal.prints(mark);
    const printed = terminal.stdout.slice(before, terminal.stdout.indexOf(mark));
    this.#folder.printed(command, printed);
    return printed;
  }

  get env(): Env {
    // One cache of compiled code for all homes: filling it anew in each is the slowest part of a start.
    return { PATH: process.env.PATH, HOME: this.path, NODE_COMPILE_CACHE: join(tmpdir(), "compiled") };
  }

  /** Writes a file; relative paths start at the project's folder. Answers with its path. */
  write(file: string, text: string): string {
    return this.#folder.write(this.pathOf(file), text);
  }

  /** A file or folder that may hold secrets: the test, or a server of the test, writes them there itself. */
  allow(path: string): void {
    this.#folder.allow(path);
  }

  /** Has agreed to all that the project's configuration can run and send, whatever it will be. */
  trusts(folder = this.project): void {
    const found = identityOf({ named: folder, folder });
    if (found) writeAgreement(this.state, { path: folder, folder: found, to: "all", at: Date.now() });
  }

  pathOf(file: string): string {
    return file.startsWith("/") ? file : join(this.project, file);
  }

  /** Declares a server that is ready at once, and runs until it is stopped. `more`: further lines of KDL. */
  declare(name: string, more = ""): void {
    this.write(`servers.d/${name}.kdl`, `${QUICK}${more}\n`);
  }

  /** Calls a method of the agent that runs, and answers with what it answers. */
  async call(method: string, params: object): Promise<object> {
    const { socket: path } = (await this.json("agent", "status")) as { socket: string };
    return new Promise((resolve, reject) => {
      const socket = createConnection(path);
      let text = "";
      socket.once("error", reject);
      socket.on("data", (chunk) => {
        text += chunk;
        if (!text.endsWith("\n")) return;
        socket.destroy();
        resolve(JSON.parse(text));
      });
      socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })}\n`);
    });
  }

  /** The entries of `xy list`, by name. */
  async servers(): Promise<Record<string, Listed>> {
    const entries = (await this.json("list")) as Listed[];
    return Object.fromEntries(entries.map((entry) => [entry.name, entry]));
  }

  /** Files of the state folder that a command may write, with their content; the agent's own go on changing. */
  written(): Record<string, string> {
    if (!existsSync(this.state)) return {};
    const files = readdirSync(this.state, { recursive: true, encoding: "utf8" }).filter(
      (file) => !/^agent\.|\/(log|run)\/|^xy\.sock/.test(file) && statSync(join(this.state, file)).isFile(),
    );
    return Object.fromEntries(files.map((file) => [file, readFileSync(join(this.state, file), "latin1")]));
  }

  /**
   * Makes it as a new one, with the agent that runs in it, or the terminals. False when nothing is gained by that, or it
   * cannot be done.
   */
  async clear(): Promise<boolean> {
    this.#killRunning();
    if (!this.#folder.isClean()) return false;
    const projects = join(this.state, "projects");
    if (!existsSync(join(this.state, "agent.json"))) {
      if (this.#terminals.size === 0 || existsSync(projects) || livingLoop(this.state)) return false;
    }
    for (const project of existsSync(projects) ? readdirSync(projects) : []) {
      const { code } = await this.xyIn({ cwd: this.path }, "destroy", "--yes", "--project", project);
      if (code !== 0) return false;
    }
    for (const entry of readdirSync(this.path)) {
      if (entry !== ".local") rmSync(join(this.path, entry), { recursive: true, force: true, maxRetries: 5 });
    }
    for (const entry of existsSync(this.state) ? readdirSync(this.state) : []) {
      if (!AGENTS_OWN.test(entry)) rmSync(join(this.state, entry), { recursive: true, force: true });
    }
    mkdirSync(this.project);
    this.#folder.begin();
    return true;
  }

  /** With all that they started but the agent: a command on a terminal outlives the terminal for a moment. */
  #killRunning(these: Iterable<Running> = this.#running): void {
    const loop = agentLoopPath(this.state);
    const all = processes().filter(({ command }) => !command.includes(loop));
    for (const { child } of these) {
      const below = child.pid === undefined ? [] : descendants(child.pid, all);
      child.kill("SIGKILL");
      for (const { pid } of below) killNow(pid);
    }
  }

  async close(): Promise<void> {
    this.#killRunning([...this.#running, ...this.#terminals.values()]);
    // One that is coming up has no record yet.
    if (existsSync(join(this.state, "agent.json")) || livingLoop(this.state)) {
      const { code, stderr } = await this.xyIn({ cwd: this.path }, "agent", "stop");
      expect(code, stderr).toBe(0);
    } else if (existsSync(join(this.state, "projects"))) {
      // A test that failed may have left servers without an agent.
      await endServersIn(this.path);
    }
    this.#folder.remove();
  }
}

export interface Listed {
  readonly name: string;
  readonly project: string;
  readonly state: string;
  readonly held: boolean;
  readonly pid?: number;
  readonly port: number | null;
  readonly ready: boolean | null;
}

/** Ready as soon as it has printed a word; ends at once when it is asked to. */
export const QUICK = `command "sh"
args "-c" "echo up; exec sleep 600"
port "none"
readiness "log" pattern="^up$"
`;

/** Runs, and is never ready. */
export const NEVER_READY = 'command "sleep"\nargs "600"\nport "none"\nreadiness "log" pattern="never"\n';

/** A program that listens where PORT says. */
export const LISTENER =
  "require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT, '127.0.0.1')";

/** A process of a test, and what it has printed. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  stdout = "";
  stderr = "";
  readonly #watchers = new Set<() => void>();

  /** `bound`: ms after which it is killed; 0 for none. */
  constructor(
    program: string,
    args: readonly string[],
    { cwd, env, bound = BOUND }: { cwd: string; env: Env; bound?: number },
  ) {
    this.child = spawn(program, args, {
      cwd,
      env: env as NodeJS.ProcessEnv,
      timeout: bound,
      killSignal: "SIGKILL",
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take("stdout", text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take("stderr", text));
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        resolve({ code: code ?? signal ?? "SIGKILL", stdout: this.stdout, stderr: this.stderr });
        for (const look of this.#watchers) look();
      });
    });
    this.child.stdin?.on("error", () => {});
    if (program !== "script") this.child.stdin?.end();
  }

  /** Types on the terminal. */
  types(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits until it has printed this; fails when it ends before. */
  async prints(what: string | RegExp): Promise<void> {
    const printed = () => `${this.stdout}\n${this.stderr}`;
    const found = () => (typeof what === "string" ? printed().includes(what) : what.test(printed()));
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const over = this.child.exitCode !== null || this.child.signalCode !== null;
        if (!found() && !over) return;
        this.#watchers.delete(look);
        if (found()) resolve();
        else reject(new Error(`it ended and did not print ${what}, but:\n${printed()}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  #take(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    for (const look of this.#watchers) look();
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the line that says that a command takes a while comes and goes
export const BUSY = /\r\u001b\[K(?:[a-z ]+ \.\.\. \d+s)?/g;

/** A port of this machine on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A port on which this test's own process listens until the test is over. */
export async function takenPort(port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as { port: number }).port;
}
