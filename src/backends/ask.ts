import { spawn } from "node:child_process";
import { BackendFailure } from "../model/unreachable.ts";

/** The service manager refused; the message quotes it. */
export class ServiceError extends BackendFailure {}

/** A unit that its manager does not read: the manager does not know it, so there is nothing to stop. */
export class UnreadUnit extends ServiceError {}

export interface Answer {
  /** 127 if the program does not exist, 124 if it did not exit in time, 125 if it printed too much. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, for at most `bound` ms. Never rejects. */
export type Ask = (program: string, args: readonly string[], bound?: number) => Promise<Answer>;

/** Longest run of a program, ms, unless it waits for something itself. */
export const ASK_BOUND = 30_000;
/**
 * Longest answer that is read, characters: the states of a thousand units take about an eighth of it. A partial answer is
 * useless: a unit that it does not name would count as gone.
 */
const LONGEST_ANSWER = 8 << 20;

/**
 * Runs the real programs, with these variables added to the environment. Each runs in its own session: Ctrl-C, typed to
 * end xy, does not interrupt it half-way.
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
      // With everything that it started, which holds its pipes too.
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
    // It has exited.
  }
}

/** The last line of the answer, for a message. */
export function words({ code, stdout, stderr }: Answer): string {
  const said = `${stdout}\n${stderr}`.trim().split("\n").at(-1) ?? "";
  if (code === 124) return "it does not answer";
  if (code === 125) return "its answer is too long";
  if (code === 127 && said === "") return "it is not installed";
  return said === "" ? `it exited with ${code}` : said;
}
