import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { BASE_FOLDERS, baseFolder } from "../../model/base-folder.ts";
import { makeWayForFile } from "../../system/files.ts";
import { WHOLE_VARIABLE, writeLoopRecord, writeLoopText } from "../../system/loop.ts";
import { agentLogPath, agentLoopPath, ensurePrivateDir, pathsOf, programPaths } from "../../system/paths.ts";
import { whyNotRuntime, whyNotTrusted } from "../../system/private-folder.ts";
import { prepareProgram } from "../../system/program.ts";
import { AgentUnreachable } from "./find.ts";

/** Starting the shell loop that keeps the agent alive. The loop itself is in `system/loop.ts`. */

/** Arguments of `/bin/sh` that run the loop. */
const loopCommand = (state: string, ...more: string[]) => [agentLoopPath(state), state, ...more];

/** Writes the files that a loop reads, with this xy as the program. Must not be called while an agent runs. */
export function prepareLoop(state: string): void {
  ensurePrivateDir(state);
  writeLoop(state);
  prepareProgram(state);
  fs.rmSync(programPaths(state).previous, { force: true, recursive: true });
}

/**
 * Writes the loop's script. A running loop, perhaps of another version, continues with the text that it has open. Throws
 * {@link AgentUnreachable} if others could make it run something else.
 */
export function writeLoop(state: string): void {
  const problem = whyNotTrusted(state);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  writeLoopText(state);
}

export interface Loop {
  readonly pid: number | undefined;
  /** It could not run. */
  failed: boolean;
  end(): void;
}

/**
 * Starts the loop as a process that outlives this one, right after {@link prepareLoop} or with `more`, further arguments
 * for the agent. Throws {@link AgentUnreachable} if its socket would be where others can put one.
 */
export function startLoop(state: string, ...more: string[]): Loop {
  const problem = whyNotTrusted(state) ?? whyNotRuntime(pathsOf(process.env).runtime);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  const log = openLog(agentLogPath(state));
  const env = { ...agentEnvironment(process.env), ...(more.length === 0 && { [WHOLE_VARIABLE]: "1" }) };
  const argv = loopCommand(state, ...more);
  const child = spawn("/bin/sh", argv, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
  fs.closeSync(log);
  child.unref();
  if (child.pid !== undefined) writeLoopRecord(state, child.pid);
  const loop: Loop = { pid: child.pid, failed: false, end: () => void child.kill("SIGTERM") };
  child.once("exit", (code) => {
    // 75: another agent was faster, and will answer.
    loop.failed = code !== 75;
  });
  return loop;
}

/** What the agent itself needs. The rest of a shell's environment, secrets included, would only go stale in it. */
const AGENT_ENVIRONMENT = ["PATH", "LANG", "TMPDIR"];

export function agentEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const values = [
    ...AGENT_ENVIRONMENT.map((name) => [name, env[name]] as const),
    ...BASE_FOLDERS.map((name) => [name, baseFolder(env, name)] as const),
  ];
  return Object.fromEntries(
    values.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
  );
}

const LONGEST_LOG = 1024 * 1024;

/** Opens the agent's log for a process to write to; a long log is rotated first. */
export function openLog(path: string): number {
  makeWayForFile(path);
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LONGEST_LOG) fs.renameSync(path, `${path}.1`);
  return fs.openSync(path, "a", 0o600);
}
