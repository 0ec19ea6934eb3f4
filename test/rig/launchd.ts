import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Answer, Ask } from "../../src/backends/service.ts";

interface Job {
  readonly Label: string;
  readonly ProgramArguments: readonly string[];
  readonly EnvironmentVariables: Readonly<Record<string, string>>;
  readonly StandardErrorPath: string;
  readonly KeepAlive: { readonly SuccessfulExit: boolean };
  readonly RunAtLoad: boolean;
  readonly AbandonProcessGroup: boolean;
}

/** Why a property list cannot be read here by a program that is not ours; undefined when it can. */
export function whyNoPlistutil(): string | undefined {
  try {
    execFileSync("plistutil", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    if (process.env.CI) throw new Error("cannot test property lists: plistutil is not installed");
    console.warn("SKIPPED, no test of property lists: plistutil is not installed (Debian: libplist-utils)");
    return "plistutil is not installed";
  }
}

/** A property list, as another program than ours reads it: to the binary form, and from that to a plain one. */
export function readPlist(path: string): Job {
  const binary = execFileSync("plistutil", ["-i", path, "-f", "bin", "-o", "-"]);
  const text = execFileSync("plistutil", ["-i", "-", "-f", "xml", "-o", "-"], {
    input: binary,
    encoding: "utf8",
  });
  const tokens = text
    .slice(text.indexOf("<plist"))
    .match(/<(string|key|integer)>[^<]*|<\/?(dict|array)>|<(true|false|string|dict|array)\/>/g);
  return takeValue(tokens ?? []) as Job;
}

/** Takes one value off the front of the tokens. */
function takeValue(tokens: string[]): unknown {
  const [, tag, text] = /^<(\w+\/?)>(.*)$/s.exec(tokens.shift() ?? "") ?? [];
  switch (tag) {
    case "true/":
    case "false/":
      return tag === "true/";
    case "integer":
      return Number(text);
    case "array": {
      const values: unknown[] = [];
      while (tokens[0] !== "</array>") values.push(takeValue(tokens));
      tokens.shift();
      return values;
    }
    case "dict": {
      const entries: [string, unknown][] = [];
      while (tokens[0] !== "</dict>") entries.push([String(takeValue(tokens)), takeValue(tokens)]);
      tokens.shift();
      return Object.fromEntries(entries);
    }
    default:
      return (text ?? "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  }
}

/**
 * A SIMULATION of launchctl, after what is known of it, for machines without launchd: it runs one job as its property
 * list says. That the real one does the same is not shown by it.
 */
export class SimulatedLaunchd {
  /** Each call, as words. */
  readonly calls: string[] = [];
  /** Domains that are there. */
  readonly domains: string[];
  /** The next bootstraps answer with these codes. */
  readonly failures: number[] = [];
  #job: Job | undefined;
  #child: ChildProcess | undefined;
  #runs = 0;

  constructor(...domains: string[]) {
    this.domains = domains;
  }

  get runs(): number {
    return this.#runs;
  }

  readonly ask: Ask = async (_program, args) => {
    this.calls.push(args.join(" "));
    const [verb, target = "", file = ""] = args;
    switch (verb) {
      case "print":
        return this.#print(target);
      case "enable":
        return OK;
      case "bootstrap":
        return this.#bootstrap(file);
      case "kickstart":
        if (!this.#child) this.#start();
        return OK;
      case "bootout":
        return this.#bootOut();
      default:
        return { code: 64, stdout: "", stderr: `Unrecognized subcommand: ${verb}` };
    }
  };

  async close(): Promise<void> {
    const child = this.#child;
    this.#job = undefined;
    if (!child) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }

  #print(target: string): Answer {
    if (this.domains.includes(target)) return OK;
    const known = this.domains.some((domain) => target === `${domain}/${this.#job?.Label}`);
    if (!known) return { code: 113, stdout: "", stderr: "Could not find service" };
    const pid = this.#child ? `\tpid = ${this.#child.pid}\n` : "";
    return {
      ...OK,
      stdout: `${target} = {\n\tactive count = 1\n${pid}\tstate = ${pid ? "running" : "not running"}\n}\n`,
    };
  }

  #bootstrap(file: string): Answer {
    const code = this.failures.shift();
    if (code !== undefined) return { code, stdout: "", stderr: "Bootstrap failed: 5: Input/output error" };
    if (this.#job)
      return { code: 37, stdout: "", stderr: "Bootstrap failed: 37: Operation already in progress" };
    this.#job = readPlist(file);
    if (this.#job.RunAtLoad) this.#start();
    return OK;
  }

  #bootOut(): Answer {
    if (!this.#job) return { code: 3, stdout: "", stderr: "Boot-out failed: 3: No such process" };
    // It is gone only when its process is.
    if (this.#child) this.#child.once("exit", () => (this.#job = undefined)).kill("SIGTERM");
    else this.#job = undefined;
    return OK;
  }

  #start(): void {
    const job = this.#job as Job;
    const [program, ...args] = job.ProgramArguments;
    this.#runs++;
    const child = spawn(program as string, args, {
      env: job.EnvironmentVariables,
      detached: true,
      stdio: "ignore",
    });
    this.#child = child;
    child.once("exit", (code) => {
      this.#child = undefined;
      if (this.#job && code !== 0 && job.KeepAlive.SuccessfulExit === false) this.#start();
    });
  }
}

const OK: Answer = { code: 0, stdout: "", stderr: "" };
