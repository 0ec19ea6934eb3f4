import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";

/** How a command ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Answer {
  readonly code: number;
  readonly worn: boolean;
}

const ROOT = join(import.meta.dirname, "../..");
/** Processes that are kept for commands that run at once. */
const MOST_AT_ONCE = 4;
/** Longest run of one command, ms. */
const BOUND = 60_000;

/**
 * Runs `xy` commands that go to their end in a process that they share, so that Node and the program are loaded once for
 * all tests of a file. One at a time: what is to run beside another command, on a terminal, or under signals is a process
 * of its own.
 */
export class Runner {
  readonly #argv: readonly [string, ...string[]];
  #child: ChildProcess | undefined;
  #busy = false;

  /** `root`: folder of the package. `within`: a command that runs the one that follows it somewhere else. */
  constructor({ root = ROOT, within = [] }: { root?: string; within?: readonly string[] } = {}) {
    const program = [
      process.execPath,
      join(import.meta.dirname, "runner-program.mjs"),
      join(root, "dist/main.js"),
    ];
    this.#argv = [...within, ...program] as [string, ...string[]];
  }

  /** Undefined, and nothing is done, while another command runs. */
  run(command: Command): Promise<Ended> | undefined {
    if (this.#busy) return undefined;
    this.#busy = true;
    return this.#run(command).finally(() => {
      this.#busy = false;
    });
  }

  async #run(command: Command): Promise<Ended> {
    const child = this.#child ?? (await this.#start());
    const mark = `\n=== ${randomUUID()} ===\n`;
    const [stdout, stderr] = [readUntil(child.stdout, mark), readUntil(child.stderr, mark)];
    const { code, worn } = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), BOUND);
      const failed = (how: unknown) => {
        clearTimeout(timer);
        const said = `${stdout.text()}${stderr.text()}`.slice(-2000);
        const what = `xy ${command.args.join(" ")} ended the process that commands share`;
        reject(new Error(`${what}: ${how}; it had printed:\n${said}`));
      };
      child.once("exit", failed);
      child.once("message", (message: Answer) => {
        clearTimeout(timer);
        child.off("exit", failed);
        resolve(message);
      });
      child.send({ ...command, mark }, (error) => error && failed(error));
    });
    const ended = { code, stdout: await stdout.whole, stderr: await stderr.whole };
    if (worn) this.#retire(child);
    return ended;
  }

  /** Something of its last command goes on in it, which the end of a process would have ended. */
  #retire(child: ChildProcess): void {
    this.#child = undefined;
    // That ends it also where `within` keeps a process between the two.
    child.disconnect();
    child.kill("SIGKILL");
  }

  async #start(): Promise<ChildProcess> {
    const [program, ...argv] = this.#argv;
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", reject);
    });
    child.removeAllListeners("exit");
    child.on("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.unref();
    child.channel?.unref();
    this.#child = child;
    return child;
  }
}

/** Processes for commands that run beside each other: each has one, up to some at once. */
export class Runners {
  readonly #all: Runner[] = [];

  /** Undefined, and nothing is done, while as many commands run as there may be processes. */
  run(command: Command): Promise<Ended> | undefined {
    for (const runner of this.#all) {
      const ended = runner.run(command);
      if (ended !== undefined) return ended;
    }
    if (this.#all.length === MOST_AT_ONCE) return undefined;
    const runner = new Runner();
    this.#all.push(runner);
    return runner.run(command);
  }
}

/** What a stream brings up to a mark. `text`: as far as it has come. */
function readUntil(stream: NodeJS.ReadableStream | null, mark: string) {
  let text = "";
  const whole = new Promise<string>((resolve) => {
    const take = (piece: string) => {
      text += piece;
      if (!text.endsWith(mark)) return;
      stream?.off("data", take);
      resolve(text.slice(0, -mark.length));
    };
    stream?.setEncoding("utf8");
    stream?.on("data", take);
  });
  return { whole, text: () => text };
}
