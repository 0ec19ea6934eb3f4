import { spawn } from "node:child_process";
import { BackendFailure } from "../model/unreachable.ts";

/** What a service manager of the account does for the agent. */
export interface AgentService {
  readonly kind: "systemd" | "launchd";
  /** Where the manager looks for the agent's unit. */
  readonly file: string;
  /** What is in the way of asking the manager, and what to do; undefined when it can be asked. */
  unreachable(): Promise<string | undefined>;
  /** The unit's text. */
  text(facts: ServiceFacts): Promise<string>;
  /** The state folder that a text of ours is for; undefined for one that is not ours. */
  stateIn(text: string): string | undefined;
  /** Pid of the loop that the manager runs now. */
  pid(): Promise<number | undefined>;
  /** Takes in the file as it is now, and has it started at login. Nothing of it may run. */
  register(): Promise<void>;
  start(): Promise<void>;
  /** Not at login any more. Nothing of it may run. */
  unregister(): Promise<void>;
  /** Called when the file is gone. */
  forget(): Promise<void>;
  /** Whether it starts with the machine, also before the account logs in; undefined when that cannot be had. */
  startsAtBoot(): boolean | undefined;
}

export interface ServiceFacts {
  readonly state: string;
  /** The shell script that keeps the agent alive. */
  readonly loop: string;
  readonly log: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}

/** The manager was asked, and refused; the message has its words. */
export class ServiceError extends BackendFailure {}

/** A unit that its manager does not read: it is not there for it, and there is nothing of it to be stopped. */
export class UnreadUnit extends ServiceError {}

export interface Answer {
  /** 127 when the program is not there, 124 when it did not end in time, 125 when it said too much. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Asks a program, to its end, which comes within `bound` ms. Never rejects. */
export type Ask = (program: string, args: readonly string[], bound?: number) => Promise<Answer>;

/** Longest run of a program that is asked, ms, unless it is to wait for something itself. */
export const ASK_BOUND = 30_000;
/**
 * Most that is read of an answer, characters: the states of a thousand units are about one of these. A part of an answer
 * is none: what it does not name would count as gone.
 */
const LONGEST_ANSWER = 8 << 20;

/**
 * Asks the real programs, with these variables beside the environment of this process. Each is in a session of its own:
 * what a person types on the terminal to end xy does not end it half-way.
 */
export function asking(env: Readonly<Record<string, string>> = {}): Ask {
  return (program, args, bound = ASK_BOUND) =>
    new Promise((resolve) => {
      const child = spawn(program, args, {
        env: { ...process.env, LC_ALL: "C", TZ: "UTC", ...env },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      const said = { stdout: "", stderr: "" };
      let why = 124;
      // With whatever it has started, which holds its pipes too.
      const end = (code: number) => {
        why = code;
        if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
      };
      const timer = setTimeout(() => end(124), bound);
      for (const stream of ["stdout", "stderr"] as const)
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          said[stream] += text;
          if (said[stream].length > LONGEST_ANSWER) end(125);
        });
      const settle = (code: number) => {
        clearTimeout(timer);
        resolve({ code, ...said });
      };
      child.once("error", () => settle(127));
      child.once("close", (code) => settle(code ?? why));
    });
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // It is over.
  }
}

/** The last line that was said, for a message. */
export function words({ code, stdout, stderr }: Answer): string {
  const said = `${stdout}\n${stderr}`.trim().split("\n").at(-1) ?? "";
  if (code === 124) return "it does not answer";
  if (code === 125) return "its answer is too long";
  if (code === 127 && said === "") return "it is not installed";
  return said === "" ? `it ended with ${code}` : said;
}
