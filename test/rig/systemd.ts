import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";
import { type Ask, asking } from "../../src/backends/ask.ts";
import { Runner } from "./runner.ts";
import { SweptFolder } from "./secret-scan.ts";

const SCRIPT = join(import.meta.dirname, "user-systemd.sh");
const LAUNCHER = join(import.meta.dirname, "../../bin/xy.js");

/** Says what its environment is, then runs each line that it reads, and says how that ended. What was printed is in files. */
const DRIVER =
  'env -0 | base64 --wrap=0; echo; while IFS= read -r line; do bash -c "$line" >"$HOME/out" 2>"$HOME/err" </dev/null; echo $?; done';

/**
 * All that a test has left goes: units, processes, files. Beside the driver and what its script runs stays the process
 * that commands share: it has entered, so that nobody in there is its parent. The manager is told first that units have no
 * files any more, so that it starts none of them again, and forgets them. If it does not let go of one, another manager comes in its place.
 */
const CLEAR = `
manager=/lib/systemd/systemd
[ -x $manager ] || manager=/usr/lib/systemd/systemd
processes() { ps -e -o pid= -o ppid= -o comm= | awk '$2 != 0 && $3 != "dbus-daemon" && $3 != "systemd-journal"'; }
units() { systemctl --user list-units --all --type=service --plain --no-legend | grep -v ' loaded  *inactive  *dead '; }
rm -rf ~/.config/systemd
find "$XDG_RUNTIME_DIR/systemd" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
systemctl --user daemon-reload
for process in $(processes | awk '$3 != "systemd" { print $1 }'); do
  [ $process = $$ ] || [ $process = $PPID ] || kill -KILL $process
done 2>/dev/null
find ~ -mindepth 1 -maxdepth 1 ! -name out ! -name err ! -name '*.log' -exec rm -rf {} +
find "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 ! -name bus ! -name systemd -exec rm -rf {} +
mkdir ~/.config ~/tools
for _ in $(seq 20); do
  systemctl --user reset-failed
  units >/dev/null || exit 0
  sleep 0.02
done
kill -KILL $(processes | awk '$3 == "systemd" { print $1 }')
find "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 ! -name bus -exec rm -rf {} +
$manager --user >>~/systemd.log 2>&1 &
for _ in $(seq 200); do
  systemctl --user show --property=Version >/dev/null 2>&1 && exit
  sleep 0.05
done
exit 1`;

/**
 * Why there can be no systemd of the tests' own here; undefined when there can. Under CI there has to be one: its
 * absence is an error.
 */
export function whyNoSystemd(): string | undefined {
  const why = lookForSystemd();
  if (why !== undefined && process.env.CI) throw new Error(`cannot test with systemd: ${why}`);
  if (why !== undefined) console.warn(`SKIPPED, no test with a real systemd --user: ${why}`);
  return why;
}

function lookForSystemd(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "it takes root, for namespaces of its own";
  for (const program of ["systemctl", "dbus-daemon", "unshare"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    } catch {
      return `${program} is not installed (Debian: systemd, dbus, util-linux)`;
    }
  }
  try {
    execFileSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"], { stdio: "ignore" });
  } catch {
    return "namespaces cannot be made here";
  }
  return undefined;
}

/** A command of xy, with words that mean nothing to a shell, and with variables before it. */
const PLAIN = /^(\w+=[\w./:=-]+ )*xy( [\w./:=-]+)+$/;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const environmentOf = (entries: readonly string[]): Record<string, string> =>
  Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));

/** A home beside a `systemd --user` of its own, in namespaces of their own: what runs in it goes when it is closed. */
export class SystemdHome {
  readonly folder = new SweptFolder();
  readonly path = this.folder.path;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #runner: Runner;
  #env: Readonly<Record<string, string>> = {};
  #said = "";

  private constructor({ journal }: { journal: boolean }) {
    const argv = [SCRIPT, this.path, "bash", "-c", DRIVER];
    const env = { PATH: process.env.PATH, LANG: "C.UTF-8", NODE_COMPILE_CACHE: join(tmpdir(), "compiled") };
    this.#child = spawn("bash", argv, {
      env: journal ? { ...env, JOURNAL: "1" } : env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    const stdout = this.#child.stdout as NodeJS.ReadableStream;
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
    const own = `/proc/${this.#child.pid}/ns`;
    this.#runner = new Runner({ within: ["nsenter", `--mount=${own}/mnt`, `--pid=${own}/pid_for_children`] });
  }

  /** `journal`: beside a journal of its own too. */
  static async open({ journal = false } = {}): Promise<SystemdHome> {
    const home = new SystemdHome({ journal });
    const entries = Buffer.from(await home.#answer(), "base64")
      .toString()
      .split("\0")
      .slice(0, -1);
    home.#env = Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
    mkdirSync(join(home.path, "tools"));
    return home;
  }

  /**
   * Runs a line of bash to its end, in which `xy` is the command; one line at a time. One that is no more than a command
   * of xy is run in a process that those of this home share.
   */
  async shell(line: string, launcher = LAUNCHER): Promise<Outcome> {
    const outcome = await this.#run(line, launcher);
    // A line without xy prints what the test wants to know, which may be a secret.
    if (/\bxy /.test(line)) this.folder.printed(line, `${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  async #run(line: string, launcher: string): Promise<Outcome> {
    if (launcher === LAUNCHER && PLAIN.test(line)) {
      const shared = this.#shared(line.split(" "));
      if (shared !== undefined) return shared;
    }
    const xy = `xy() { '${process.execPath}' '${launcher}' "$@"; }`;
    this.#child.stdin?.write(`cd ~/tools; ${xy}; ${line}\n`);
    const code = Number(await this.#answer());
    const [stdout, stderr] = ["out", "err"].map((name) => this.#taken(name));
    return { code, stdout: stdout as string, stderr: stderr as string };
  }

  /** What a line has printed, which is kept no longer than that. */
  #taken(name: string): string {
    const path = join(this.path, name);
    const text = readFileSync(path, "utf8");
    rmSync(path);
    return text;
  }

  /** Undefined while another command runs in that process. */
  #shared(words: readonly string[]): Promise<Outcome> | undefined {
    const [variables, args] = [words.slice(0, words.indexOf("xy")), words.slice(words.indexOf("xy") + 1)];
    const env = { ...this.#env, ...environmentOf(variables) };
    return this.#runner.run({ args, cwd: join(this.path, "tools"), env });
  }

  /** As {@link shell}; it must succeed. Answers with what it printed, without the newline at its end. */
  async did(line: string, launcher?: string): Promise<string> {
    const { code, stdout, stderr } = await this.shell(line, launcher);
    if (code !== 0) throw new Error(`\`${line}\` ended with ${code}:\n${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** What `xy … --json` prints. */
  // biome-ignore lint/suspicious/noExplicitAny: to be compared with what should have come.
  async json(words: string, launcher?: string): Promise<any> {
    return JSON.parse(await this.did(`xy ${words} --json`, launcher));
  }

  write(file: string, text: string): void {
    this.folder.write(file, text);
  }

  /** Makes it as it was when it was opened. */
  async clear(): Promise<void> {
    this.folder.search();
    const script = join(this.path, "clear.log");
    writeFileSync(script, CLEAR);
    await this.did(`exec bash ${script}`);
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
    this.folder.remove();
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the home with systemd has ended: ${this.#said}`);
    return value;
  }
}

/**
 * Has the tests of a file, or of a part of it, use one home in turn, which is cleared before each: to make one, and a
 * process in it that commands share, takes longer than most of them do.
 */
export function systemdHomesInTurn(): () => Promise<SystemdHome> {
  let home: SystemdHome | undefined;
  afterAll(() => home?.close());
  return async () => {
    if (home === undefined) home = await SystemdHome.open();
    else await home.clear();
    return home;
  };
}

/** A `systemd --user` with a /run of its own, whose processes the test sees as they are. */
export class SystemdManagerHome {
  readonly folder = new SweptFolder();
  readonly path = this.folder.path;
  readonly #child: ChildProcess;

  private constructor() {
    // Says that all is up, and stays until its input ends.
    const argv = [SCRIPT, this.path, "bash", "-c", "echo $PPID; read -r _"];
    const env = { PATH: process.env.PATH, LANG: "C.UTF-8", SHARED_PIDS: "1" };
    this.#child = spawn("bash", argv, { env, stdio: ["pipe", "pipe", "inherit"] });
  }

  static async open(): Promise<SystemdManagerHome> {
    const home = new SystemdManagerHome();
    await once(home.#child.stdout as NodeJS.ReadableStream, "data");
    return home;
  }

  /** The environment that xy is called with there. */
  get env(): Readonly<Record<string, string>> {
    return {
      HOME: this.path,
      XDG_CONFIG_HOME: join(this.path, ".config"),
      XDG_RUNTIME_DIR: `/run/user/${process.getuid?.()}`,
      PATH: process.env.PATH ?? "",
    };
  }

  /** Asks programs that see its /run. */
  readonly ask: Ask = (program, args, bound) =>
    asking(this.env)("nsenter", [`--mount=/proc/${this.#child.pid}/ns/mnt`, program, ...args], bound);

  /** Makes it as it was when it was opened: without the units of xy, whatever they are doing. */
  async clear(): Promise<void> {
    rmSync(join(this.path, ".config/systemd"), { recursive: true, force: true });
    const line = `systemctl --user stop 'xy.*'; systemctl --user daemon-reload && systemctl --user reset-failed && systemctl --user list-units --all --plain --no-legend 'xy.*'`;
    const { code, stdout, stderr } = await this.ask("sh", ["-c", line]);
    if (code !== 0 || stdout !== "") throw new Error(`systemd does not let go of ${stdout}${stderr}`);
    this.folder.search();
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
    this.folder.remove();
  }
}

/** Has the tests of a file use one manager in turn. Each test clears it, and has a home of xy of its own beside it. */
export function systemdManagersInTurn(): () => Promise<SystemdManagerHome> {
  let home: SystemdManagerHome | undefined;
  afterAll(() => home?.close());
  return async () => {
    home ??= await SystemdManagerHome.open();
    return home;
  };
}
