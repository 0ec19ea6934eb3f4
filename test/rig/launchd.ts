import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import type { Answer, Ask } from "../../src/backends/ask.ts";

interface Job {
  readonly Label: string;
  readonly ProgramArguments: readonly string[];
  readonly EnvironmentVariables: Readonly<Record<string, string>>;
  readonly StandardOutPath?: string;
  readonly StandardErrorPath: string;
  readonly WorkingDirectory?: string;
  readonly Umask?: number;
  readonly KeepAlive: true | { readonly SuccessfulExit: boolean };
  readonly RunAtLoad: boolean;
  readonly AbandonProcessGroup: boolean;
  readonly ExitTimeOut?: number;
  readonly ThrottleInterval?: number;
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

/** A job that is loaded, and what runs of it. */
interface Loaded {
  readonly job: Job;
  /** Its domain and label, as it is spoken of. */
  readonly target: string;
  child?: ChildProcess;
  runs: number;
  last?: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
  /** It is being booted out. */
  leaving?: boolean;
  timer?: NodeJS.Timeout;
}

/**
 * A SIMULATION of launchctl, after what is known of it, for machines without launchd: it runs jobs as their property
 * lists say. That the real one does the same is not shown by it.
 */
export class SimulatedLaunchd {
  /** Each call, as words. */
  readonly calls: string[] = [];
  /** Domains that are there. */
  readonly domains: string[];
  /** The next bootstraps answer with these codes. */
  readonly failures: number[] = [];
  /** Time that a throttle is shortened to, ms. */
  throttle = 50;
  readonly #jobs = new Map<string, Loaded>();
  readonly #disabled = new Set<string>();
  #runs = 0;

  constructor(...domains: string[]) {
    this.domains = domains;
  }

  /** Processes that were started, of all jobs. */
  get runs(): number {
    return this.#runs;
  }

  readonly ask: Ask = async (_program, words) => {
    // A shell starts it in the background: here it never waits.
    const args = words[0] === "-c" ? words.slice(3) : words;
    this.calls.push(args.join(" "));
    const [verb, target = "", file = ""] = args;
    switch (verb) {
      case "print":
        return this.#print(target);
      case "print-disabled":
        return {
          ...OK,
          stdout: [...this.#disabled].map((one) => `\t"${labelIn(one)}" => disabled\n`).join(""),
        };
      case "enable":
        this.#disabled.delete(target);
        return OK;
      case "disable":
        this.#disabled.add(target);
        return OK;
      case "bootstrap":
        return this.#bootstrap(target, file);
      case "kickstart": {
        const loaded = this.#jobs.get(target);
        if (!loaded) return NOT_FOUND;
        if (!loaded.child) this.#start(loaded);
        return OK;
      }
      case "bootout":
        return this.#bootOut(target);
      default:
        return { code: 64, stdout: "", stderr: `Unrecognized subcommand: ${verb}` };
    }
  };

  async close(): Promise<void> {
    const children = [...this.#jobs.values()].map((loaded) => {
      loaded.leaving = true;
      clearTimeout(loaded.timer);
      return loaded.child;
    });
    this.#jobs.clear();
    for (const child of children) {
      if (!child) continue;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
  }

  #print(target: string): Answer {
    if (this.domains.includes(target)) return OK;
    const loaded = this.#jobs.get(target);
    if (!loaded) return NOT_FOUND;
    const { child, runs, last, leaving } = loaded;
    const lines = [
      `${target} = {`,
      `\tactive count = ${child ? 1 : 0}`,
      `\tstate = ${leaving ? "SIGTERMed" : child ? "running" : "not running"}`,
      `\truns = ${runs}`,
      ...(child ? [`\tpid = ${child.pid}`] : []),
      ...exitLines(last),
      "}",
    ];
    return { ...OK, stdout: `${lines.join("\n")}\n` };
  }

  #bootstrap(domain: string, file: string): Answer {
    const code = this.failures.shift();
    if (code !== undefined) return { code, stdout: "", stderr: "Bootstrap failed: 5: Input/output error" };
    const job = readPlist(file);
    const target = `${domain}/${job.Label}`;
    if (this.#disabled.has(target))
      return { code: 119, stdout: "", stderr: "Bootstrap failed: 119: Service is disabled" };
    if (this.#jobs.get(target)?.leaving)
      return { code: 5, stdout: "", stderr: "Bootstrap failed: 5: Input/output error" };
    if (this.#jobs.has(target))
      return { code: 37, stdout: "", stderr: "Bootstrap failed: 37: Operation already in progress" };
    const loaded: Loaded = { job, target, runs: 0 };
    this.#jobs.set(target, loaded);
    if (job.RunAtLoad) this.#start(loaded);
    return OK;
  }

  #bootOut(target: string): Answer {
    const loaded = this.#jobs.get(target);
    if (!loaded) return { code: 3, stdout: "", stderr: "Boot-out failed: 3: No such process" };
    loaded.leaving = true;
    clearTimeout(loaded.timer);
    const { child } = loaded;
    // It is gone only when its process is.
    if (child) {
      child.kill("SIGTERM");
      loaded.timer = setTimeout(() => signalGroup(child, "SIGKILL"), (loaded.job.ExitTimeOut ?? 20) * 1000);
    } else this.#jobs.delete(target);
    return OK;
  }

  #start(loaded: Loaded): void {
    const { job } = loaded;
    const [program, ...args] = job.ProgramArguments;
    this.#runs++;
    loaded.runs++;
    const out = openSync(job.StandardOutPath ?? job.StandardErrorPath, "a");
    const err = openSync(job.StandardErrorPath, "a");
    const child = spawn(program as string, args, {
      env: job.EnvironmentVariables,
      cwd: job.WorkingDirectory,
      detached: true,
      stdio: ["ignore", out, err],
    });
    closeSync(out);
    closeSync(err);
    // What cannot be run ends with 78, as by the real one.
    child.once("error", () => this.#ended(loaded, 78, null));
    loaded.child = child;
    child.once("exit", (code, signal) => this.#ended(loaded, code, signal));
  }

  #ended(loaded: Loaded, code: number | null, signal: NodeJS.Signals | null): void {
    const { job, target } = loaded;
    // What is left of its group gets no grace.
    if (loaded.child && !job.AbandonProcessGroup) signalGroup(loaded.child, "SIGKILL");
    delete loaded.child;
    clearTimeout(loaded.timer);
    loaded.last = { code, signal };
    if (loaded.leaving) {
      if (this.#jobs.get(target) === loaded) this.#jobs.delete(target);
      return;
    }
    const again = job.KeepAlive === true || (job.KeepAlive?.SuccessfulExit === false && code !== 0);
    if (again) loaded.timer = setTimeout(() => this.#start(loaded), this.throttle);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid as number), signal);
  } catch {
    // It is over.
  }
}

function exitLines(last: Loaded["last"]): string[] {
  if (!last) return ["\tlast exit code = (never exited)"];
  if (last.signal === null) return [`\tlast exit code = ${last.code}`];
  return [`\tlast terminating signal = ${last.signal}: ${constants.signals[last.signal]}`];
}

const labelIn = (target: string) => target.split("/").at(-1) ?? "";
const OK: Answer = { code: 0, stdout: "", stderr: "" };
const NOT_FOUND: Answer = { code: 113, stdout: "", stderr: "Could not find service" };
