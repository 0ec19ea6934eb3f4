import { type ChildProcess, fork } from "node:child_process";
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

/** Longest run of one command, ms. */
const BOUND = 60_000;

/**
 * Runs `xy` commands that go to their end in a process that they share, so that Node and the program are loaded once for
 * all tests of a file. One at a time: what is to run beside another command, on a terminal, or under signals is a process
 * of its own.
 */
export class Runner {
  readonly #program: string;
  #child: ChildProcess | undefined;
  #busy = false;

  /** `root`: folder of the package. */
  constructor(root = join(import.meta.dirname, "../..")) {
    this.#program = join(root, "dist/main.js");
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
    const code = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), BOUND);
      const ended = (how: unknown) => {
        this.#child = undefined;
        reject(new Error(`xy ${command.args.join(" ")} ended the process that it shares: ${how}`));
      };
      child.once("exit", ended);
      child.once("message", (message: { code: number }) => {
        clearTimeout(timer);
        child.off("exit", ended);
        resolve(message.code);
      });
    });
    child.send({ ...command, mark });
    return { code: await code, stdout: await stdout, stderr: await stderr };
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, "runner-program.mjs"), [this.#program], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
    });
    await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", reject);
    });
    child.removeAllListeners("exit");
    child.unref();
    child.channel?.unref();
    this.#child = child;
    return child;
  }
}

/** What a stream brings up to a mark. */
function readUntil(stream: NodeJS.ReadableStream | null, mark: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const take = (piece: string) => {
      text += piece;
      if (!text.endsWith(mark)) return;
      stream?.off("data", take);
      resolve(text.slice(0, -mark.length));
    };
    stream?.setEncoding("utf8");
    stream?.on("data", take);
  });
}
