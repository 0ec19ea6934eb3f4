import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { BASE_FOLDERS, baseFolder } from "../model/base-folder.ts";
import { readText, writeAtomic } from "../system/files.ts";
import { agentLogPath, agentLoopPath, ensurePrivateDir, pathsOf, programPaths } from "../system/paths.ts";
import { whyNotRuntime, whyNotTrusted } from "../system/private-folder.ts";
import { copyOfAgent, writeProgram } from "../system/program.ts";
import { AgentUnreachable } from "./agent-find.ts";

/**
 * The shell loop that keeps the agent alive, and the files that it goes by. It runs what `agent.program` names:
 *
 * - 0 (told to end) and 75 (another agent has the lock) end it, and so does SIGTERM, which it passes on.
 * - 76 hands over: what `agent.next` names is run, and has to take that file away, as a sign that it serves, within
 *   the seconds of its third line. Otherwise it is killed, and `agent.program` runs again.
 * - After anything else the program runs again. When it ends five times in a row within ten seconds each, the program
 *   before it (`agent.previous`) has its turn; without one the loop gives up.
 *
 * The agent runs in the background of the shell, so that a signal is passed on at once.
 *
 * What the engine is told: to keep few new objects before it looks which of them are still needed, and to look with one
 * thread. It holds half the memory then, which is also what it takes to start a program (a fork copies the tables of all
 * pages), and takes in output with a third less of the processor, as no thread waits for another.
 */
const ENGINE = "--max-semi-space-size=2 --single-threaded-gc";

const LOOP = `#!/bin/sh
# Keeps the agent of xy alive. Written by xy, and run as: agent.sh STATE [ARGUMENT OF THE AGENT...]
state=$1
shift
cd /
child= told= trial= node= entry= bound= quick=0

say() { echo "$(date -u +%Y-%m-%dT%H:%M:%S.000Z) $*" >&2; }
program() { [ -r "$1" ] && { IFS= read -r node && IFS= read -r entry && { IFS= read -r bound || :; }; } <"$1"; }
lives() { kill -0 "$child" 2>/dev/null; }

trap 'told=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
trap : HUP

while :; do
  [ -z "$trial" ] || program "$state/agent.next" || trial=
  [ -n "$trial" ] || program "$state/agent.program" || :
  began=$(date +%s)
  "$node" ${ENGINE} "$entry" --state "$state" --loop $$ \${trial:+--trial} "$@" </dev/null &
  child=$!
  [ -z "$told" ] || kill -TERM "$child" 2>/dev/null
  if [ -n "$trial" ]; then
    until=$((began + \${bound:-20}))
    while [ -e "$state/agent.next" ] && lives && [ $(date +%s) -le $until ]; do sleep 0.1; done
    if [ ! -e "$state/agent.next" ]; then
      trial= quick=0
    elif lives; then
      say "the new agent does not serve within \${bound:-20} s"
      kill -KILL "$child"
    fi
  fi
  code=0
  wait "$child" || code=$?
  # A signal that came meanwhile ended the wait, not the agent.
  while lives; do code=0; wait "$child" || code=$?; done
  child=
  [ -z "$told" ] || exit 0
  if [ -n "$trial" ]; then
    trial=
    if mv "$state/agent.next" "$state/agent.failed" 2>/dev/null; then
      say "the new agent ended with $code before it served: back to the one before"
      quick=0
      continue
    fi
  fi
  case $code in
  0 | 75) exit $code ;;
  76)
    trial=1 quick=0
    continue
    ;;
  esac
  if [ $(($(date +%s) - began)) -lt 10 ]; then quick=$((quick + 1)); else quick=0; fi
  if [ $quick -ge 5 ]; then
    mv "$state/agent.previous" "$state/agent.program" 2>/dev/null || exit $code
    say "the agent ends again and again: back to the one before it"
    quick=0
  fi
  sleep 0.05
done
`;

/** Arguments of `/bin/sh` that run the loop. */
const loopCommand = (state: string, ...more: string[]) => [agentLoopPath(state), state, ...more];

/** Writes what a loop goes by, with this xy as the program. Not to be called while an agent runs. */
export function prepareLoop(state: string): void {
  ensurePrivateDir(state);
  writeLoop(state);
  const { current, previous } = programPaths(state);
  writeProgram(current, copyOfAgent(state));
  fs.rmSync(previous, { force: true });
}

/**
 * The loop itself, which may be of another version. One that runs goes on with the text that it has open. Throws
 * {@link AgentUnreachable} when others could have it run something else.
 */
export function writeLoop(state: string): void {
  const problem = whyNotTrusted(state);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  if (readText(agentLoopPath(state)) !== LOOP) writeAtomic(agentLoopPath(state), LOOP);
}

export interface Loop {
  readonly pid: number | undefined;
  /** It has given up. */
  failed: boolean;
}

/**
 * Starts the loop as a process that goes on when this one ends. `more`: further arguments of the agent. Throws
 * {@link AgentUnreachable} when its socket would be where others can put theirs.
 */
export function startLoop(state: string, ...more: string[]): Loop {
  const problem = whyNotTrusted(state) ?? whyNotRuntime(pathsOf(process.env).runtime);
  if (problem !== undefined) throw new AgentUnreachable(problem);
  const log = openLog(agentLogPath(state));
  const env = agentEnvironment(process.env);
  const argv = loopCommand(state, ...more);
  const child = spawn("/bin/sh", argv, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
  fs.closeSync(log);
  child.unref();
  const loop: Loop = { pid: child.pid, failed: false };
  child.once("exit", (code) => {
    // 75: another one was quicker, and that one will answer.
    loop.failed = code !== 75;
  });
  return loop;
}

/** What the agent needs itself. The rest of a shell's environment, secrets among it, would only go stale in it. */
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

/** The agent's log, for a process to write to; a long one is put aside first. */
export function openLog(path: string): number {
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LONGEST_LOG) fs.renameSync(path, `${path}.1`);
  return fs.openSync(path, "a", 0o600);
}
