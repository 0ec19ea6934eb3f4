import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { statOf, TICKS } from "../src/system/process-rows.ts";

/** How things are measured: whole processes, from outside, and what the kernel counted for them. */

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Longest run of one command, ms. */
const BOUND = 300_000;

/** Runs a command to its end. Returns the time in ms and its output. Throws with its output if it fails. */
export async function run({ argv, env, cwd }: Command): Promise<{ ms: number; stdout: string }> {
  const [program, ...args] = argv;
  const began = process.hrtime.bigint();
  const child = spawn(program, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"], timeout: BOUND });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  const [code, signal] = await once(child, "close");
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (code !== 0) {
    const how = code === null ? signal : `code ${code}`;
    throw new Error(`\`${argv.join(" ").slice(0, 200)}\` ended with ${how}: ${said.stderr}${said.stdout}`);
  }
  return { ms, stdout: said.stdout };
}

/** Ms until an action and everything that follows from it is done. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = process.hrtime.bigint();
  await act();
  return Number(process.hrtime.bigint() - began) / 1e6;
}

/** Settles once the condition holds; throws after the bound. Checks every `gap` ms. */
export async function until(what: string, condition: () => boolean, bound = 120_000, gap = 2): Promise<void> {
  const end = Date.now() + bound;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what}: not so after ${bound / 1000} s`);
    await sleep(gap);
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface Figure {
  readonly median: number;
  /** Lower and upper quartile. */
  readonly spread: readonly [number, number];
}

export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), spread: [at(0.25), at(0.75)] };
}

/** Runs them in turn, round by round, so that a change of the machine's speed affects all. Discards the first round. */
export async function inTurn<K extends string>(
  rounds: number,
  samples: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, Figure>> {
  const names = Object.keys(samples) as K[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, number[]>;
  for (let round = -1; round < rounds; round++)
    for (const name of names) {
      const value = await samples[name]();
      if (round >= 0) values[name].push(value);
    }
  return Object.fromEntries(names.map((name) => [name, figure(values[name])])) as Record<K, Figure>;
}

/** CPU time used by processes, ms. */
export function cpuMs(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const { fields } = statOf(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return Number(fields[11]) + Number(fields[12]);
  });
  return (ticks.reduce((a, b) => a + b, 0) * 1000) / TICKS;
}

/** Proportional share of memory, MiB: each process counts with its part of what is shared. */
export function pssMib(pids: readonly number[]): number {
  const kib = pids.map((pid) => numberIn(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+)/m));
  return kib.reduce((a, b) => a + b, 0) / 1024;
}

/** Memory that a process shares with no other, MiB. */
export function privateMib(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = [...text.matchAll(/^Private_\w+:\s+(\d+)/gm)].map(([, size]) => Number(size));
  return kib.reduce((a, b) => a + b, 0) / 1024;
}

/** Resident memory of a process, MiB: now, or its maximum so far. */
export function rssMib(pid: number, which: "now" | "peak"): number {
  return numberIn(`/proc/${pid}/status`, which === "now" ? /^VmRSS:\s+(\d+)/m : /^VmHWM:\s+(\d+)/m) / 1024;
}

export function parentOf(pid: number): number {
  return numberIn(`/proc/${pid}/status`, /^PPid:\s+(\d+)/m);
}

function numberIn(path: string, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(path, "utf8"))?.[1]);
}

/** All processes that were started with this text in their environment. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(text) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
