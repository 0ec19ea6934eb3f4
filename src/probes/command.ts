import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ProbeReport } from "../model/probe-report.ts";
import { formatDuration } from "../model/units.ts";
import { readJson, writeAtomic } from "../system/files.ts";
import { identify, isRunning, signalProcess } from "../system/processes.ts";
import { Steps } from "./steps.ts";

export interface CommandRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** Longest run, ms. */
  readonly timeout: number;
  /** The server's run folder: the process is recorded there, for the next agent. */
  readonly dir: string;
  /** Ends it early: the server is gone, or this agent exits. */
  readonly signal: AbortSignal;
}

/** Output that is kept, bytes: its last line is part of the evidence. */
const KEPT_OUTPUT = 4096;
/** Longest wait for output after the exit, ms. */
const LAST_WORDS = 500;
const RECORD = /^probe-\d+\.json$/;
const recordPath = (dir: string, pid: number) => join(dir, `probe-${pid}.json`);

/** Runs a program, and everything that it starts, for `timeout` at most. The result is good if it exits with code 0. */
export async function commandProbe(command: CommandRun): Promise<ProbeReport> {
  const steps = new Steps();
  const { program, timeout } = command;
  const child = spawn(program, command.args, {
    cwd: command.workingDir,
    env: command.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let tail = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-KEPT_OUTPUT);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const closed = new Promise((resolve) => child.once("close", resolve));
  const { pid } = child;
  if (pid !== undefined) remember(command.dir, pid);
  const end = await endOf(child, timeout, command.signal);
  // Also after a good result: what it left in its process group is its own, and nobody else ends that.
  if (pid !== undefined) {
    signalProcess(-pid, "SIGKILL");
    fs.rmSync(recordPath(command.dir, pid), { force: true });
    // Its exit may be reported before its last output. A process that left its group may hold its output for ever.
    await within(closed, LAST_WORDS);
  }
  child.stdout.destroy();
  child.stderr.destroy();
  const said = tail.toString("utf8").trim().split("\n").at(-1) ?? "";
  const evidence = `${program} ${end}${said === "" ? "" : `: ${said}`}`;
  return end === "exit 0" ? steps.good("command", evidence) : steps.bad("command", evidence);
}

function within(event: Promise<unknown>, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([event, bound]).finally(() => clearTimeout(timer));
}

function endOf(child: ChildProcess, timeout: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const settle = (text: string) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", interrupted);
      resolve(text);
    };
    const interrupted = () => settle("was interrupted");
    const timer = setTimeout(() => settle(`did not end within ${formatDuration(timeout)}`), timeout);
    signal.addEventListener("abort", interrupted, { once: true });
    if (signal.aborted) interrupted();
    child.once("error", (error) => settle(`cannot be run: ${error.message}`));
    child.once("exit", (code, by) => settle(code === null ? `ended by ${by}` : `exit ${code}`));
  });
}

const record = z.object({ pid: z.int().min(2), start: z.string(), boot: z.string() });

/** If it cannot be recorded, the probe runs anyway: its timeout still ends it. */
function remember(dir: string, pid: number): void {
  const process = identify(pid);
  try {
    if (process) writeAtomic(recordPath(dir, pid), JSON.stringify(process));
  } catch {
    // See above.
  }
}

/** Ends what probes of an earlier agent left running. */
export function endStrayProbes(dir: string): void {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (!entry.isFile() || !RECORD.test(name)) continue;
    const found = record.safeParse(readRecord(join(dir, name)));
    if (found.success && isRunning(found.data)) signalProcess(-found.data.pid, "SIGKILL");
    fs.rmSync(join(dir, name), { force: true });
  }
}

function readRecord(path: string): unknown {
  try {
    return readJson(path);
  } catch {
    return undefined;
  }
}
