import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { RpcClient } from "../../rpc/client.ts";
import type { ParsedParams } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { makeWayForFile, readText, writeAtomic } from "../../system/files.ts";
import { lockHolder } from "../../system/lock.ts";
import { packageVersion } from "../../system/package.ts";
import { programPaths } from "../../system/paths.ts";
import { forgetCopies, type Program, readProgram, writeProgram } from "../../system/program.ts";
import { projectLockPath, recordedProjects } from "../../system/projects.ts";
import { unreadableRecords } from "../records/store.ts";

/**
 * How one agent gives way to the next, and what the next has to show before it stays. The shell loop above both
 * brings the old one back when the new one fails: see `backends/agent/loop.ts`.
 */

/** Longest run of a program that is tried out, ms. */
const TRY_BOUND = 20_000;
/** Longest wait for the answer of this agent to itself, ms. */
const ANSWER_BOUND = 10_000;
const LONGEST_REASON = 500;

/**
 * What `--try` does: the program has loaded, and looks whether it can read the records. Says its version, or what is
 * in the way. Returns the exit code.
 */
export function tryOut(state: string, report: (message: string) => void): number {
  const unreadable = unreadableRecords(state);
  if (unreadable.length > 0) {
    report(`it cannot read ${unreadable.join(", ")}`);
    return 1;
  }
  process.stdout.write(`${JSON.stringify({ version: packageVersion() })}\n`);
  return 0;
}

/**
 * Puts a program down as the next agent. Throws an {@link RpcError}, with nothing changed, when it cannot be, or when
 * `refuse` throws: asked before the program is tried out, and after.
 */
export async function prepareUpgrade(
  state: string,
  { node, entry, bound_secs }: ParsedParams<"agent_upgrade">,
  refuse: () => void,
): Promise<{ version: string }> {
  refuse();
  const version = await versionOf({ node, entry }, state);
  refuse();
  const { next, failed } = programPaths(state);
  fs.rmSync(failed, { force: true, recursive: true });
  writeProgram(next, { node, entry }, String(bound_secs));
  return { version };
}

/** What an apply would put back is in this agent's memory only. Throws an {@link RpcError}. */
export function refuseDuringApply(state: string): void {
  for (const project of recordedProjects(state)) {
    const holder = lockHolder(projectLockPath(state, project));
    if (!holder) continue;
    throw new RpcError(
      RPC_ERRORS.locked,
      `cannot hand over while an apply of ${project} is under way (pid ${holder.pid}): try again once it has ended`,
    );
  }
}

async function versionOf({ node, entry }: Program, state: string): Promise<string> {
  const { code, stdout, stderr } = await run(node, [entry, "--state", state, "--try"]);
  const said = versionIn(stdout);
  if (code === 0 && said !== undefined) return said;
  const why = code === null ? `it did not end within ${TRY_BOUND / 1000} s` : reasonIn(stderr);
  throw new RpcError(
    RPC_ERRORS.internalError,
    `cannot upgrade: the new agent fails when it is tried out: ${why}. Version ${packageVersion()} keeps running.`,
  );
}

function versionIn(stdout: string): string | undefined {
  try {
    const { version } = JSON.parse(stdout);
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Node prints an error in the middle of a stack, and its own version below it. */
function reasonIn(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.replace(/^\S+Z /, "").trim());
  const error = lines.find((line) => /^\w*Error\b.*:/.test(line)) ?? lines.filter(Boolean).at(-1);
  return (error ?? "it does not say what it is").slice(0, LONGEST_REASON);
}

/** `code` is null when the time was over. */
function run(
  program: string,
  argv: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, argv, {
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TRY_BOUND,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => resolve({ code: 127, stdout, stderr: String(error) }));
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** As the new agent: stays when a call over the socket is answered. Throws otherwise, which is the end of it. */
export async function confirm(state: string, socket: string): Promise<void> {
  const client = await RpcClient.connect(socket);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("cannot serve: its own socket does not answer")), ANSWER_BOUND);
  });
  try {
    await Promise.race([client.call("agent_info", {}), late]);
  } finally {
    clearTimeout(timer);
    client.close();
  }
  const { current, next, previous } = programPaths(state);
  const before = readProgram(current) ? readText(current) : undefined;
  // On a full disk too it is the one or the other, and never half of one.
  if (before !== undefined) {
    makeWayForFile(previous);
    writeAtomic(previous, before, { durable: true });
  }
  makeWayForFile(current);
  // The loop looks for this: from here on it brings back the new program.
  fs.renameSync(next, current);
  forgetCopies(state, Date.now());
}

/** As an agent that is no successor: an upgrade that was cut short is none. */
export function forgetUpgrade(state: string): void {
  fs.rmSync(programPaths(state).next, { force: true, recursive: true });
}
