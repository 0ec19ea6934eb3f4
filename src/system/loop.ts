import { basename } from "node:path";
import type { ProcessId } from "../model/process.ts";
import { isFileWith, makeWayForFile, readJson, writeAtomic } from "./files.ts";
import { agentLoopPath, agentRecordPath, loopRecordPath } from "./paths.ts";
import { identify, isRunning, signalExactly, wordsOf } from "./processes.ts";

/**
 * The shell loop that keeps the agent alive, and the files that it reads. It runs what `agent.program` names:
 *
 * - 0 (told to end) and 75 (another agent has the lock) end it, and so does SIGTERM, which it passes on. So does the end
 *   of an agent whose state folder is gone: there is nothing left that it could keep.
 * - 76 hands over: what `agent.next` names is run, and has to take that file away, as a sign that it serves, within
 *   the seconds of its third line. Otherwise it is killed, and `agent.program` runs again.
 * - After anything else the program runs again, for ever: at once after the first ends, and then after a pause that
 *   doubles up to a minute, as long as each end comes within ten seconds. SIGCONT ends a pause, and the next one is
 *   short again: somebody wants the agent now. After five such ends in a row the program before it (`agent.previous`) has its turn, if there is one.
 *
 * What is run is compared with the sum that was written beside it when it was copied (cksum is POSIX's). If that
 * differs, the file that it was copied from runs instead: its agent makes the copy anew.
 *
 * The agent runs in the background of the shell, so that a signal is passed on at once.
 *
 * What the engine is told: to keep few new objects before it looks which of them are still needed, and to look with one
 * thread. It holds half the memory then, which is also what it takes to start a program (a fork copies the tables of all
 * pages), and takes in output with a third less of the processor, as no thread waits for another.
 */
const ENGINE = "--max-semi-space-size=2 --single-threaded-gc";

/** This variable tells the agent which loop runs it. A loop of an earlier version does not set it, and gives up. */
export const LOOP_VARIABLE = "XY_LOOP";
export const LOOP_VERSION = "2";
/** Whoever starts the loop has just compared the copy of the agent with its own: it is not compared again at first. */
export const WHOLE_VARIABLE = "XY_WHOLE";
/** What the loop logs about a program that has just exited; whole seconds, from the first real pause on. */
export const AGAIN = /Z the agent ended with \d+: it is started again in ([\d.]+) s$/;

const LOOP = `#!/bin/sh
# Keeps the agent of xy alive. Written by xy, and run as: agent.sh STATE [ARGUMENT OF THE AGENT...]
state=$1
shift
cd /
${LOOP_VARIABLE}=${LOOP_VERSION}
export ${LOOP_VARIABLE}
sound=\${${WHOLE_VARIABLE}-}
unset ${WHOLE_VARIABLE}
child= nap= told= woken= trial= node= entry= bound= quick=0 rests=0

say() { echo "$(date -u +%Y-%m-%dT%H:%M:%S.000Z) $*" >&2; }
lives() { kill -0 "$child" 2>/dev/null; }
# Seconds, of which only differences count. Where the kernel writes them down, no process is needed to tell.
now() { { IFS=' .' read -r at _ </proc/uptime; } 2>/dev/null || at=$(date +%s); }
# A file that is torn, or none, changes nothing.
program() {
  [ -f "$1" ] && [ -r "$1" ] || return 1
  n= e= b=
  { IFS= read -r n && IFS= read -r e && { IFS= read -r b || :; }; } <"$1" && [ -n "$n" ] && [ -n "$e" ] || return 1
  case $b in '' | *[!0-9]*) b=20 ;; esac
  node=$n entry=$e bound=$b
}
# Whether the entry is what was copied. Without a sum, or a program that makes one, nobody can tell.
whole() {
  sum= origin=
  [ ! -r "$entry.sum" ] || { IFS= read -r sum && IFS= read -r origin; } <"$entry.sum" || origin=
  [ -r "$entry" ] || return 1
  [ -n "$origin" ] || return 0
  found=$(cksum <"$entry" 2>/dev/null) || return 0
  [ "$found" = "$sum" ]
}
# Whichever comes first, the signal or the pause, none is missed. What was just forked could miss any signal but KILL.
pause() {
  sleep "$1" &
  nap=$!
  [ -z "$told$woken" ] || awake
  wait "$nap" 2>/dev/null
  awake
  nap=
}
awake() { [ -z "$nap" ] || kill -KILL "$nap" 2>/dev/null; }

trap 'told=1; awake; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
trap 'woken=1; awake' CONT
trap : HUP

while :; do
  [ -z "$trial" ] || program "$state/agent.next" || trial=
  [ -n "$trial" ] || program "$state/agent.program" || :
  if [ -z "$sound" ] && ! whole; then
    say "the copy of the agent is damaged or gone: $entry"
    [ ! -r "$origin" ] || entry=$origin
  fi
  sound=
  now
  began=$at
  "$node" ${ENGINE} "$entry" --state "$state" --loop $$ \${trial:+--trial} "$@" </dev/null &
  child=$!
  [ -z "$told" ] || kill -TERM "$child" 2>/dev/null
  if [ -n "$trial" ]; then
    until=$((began + bound))
    while now && [ -e "$state/agent.next" ] && lives && [ $at -le $until ]; do sleep 0.1; done
    if [ ! -e "$state/agent.next" ]; then
      trial= quick=0
    elif lives; then
      say "the new agent does not serve within $bound s"
      kill -KILL "$child"
    fi
  fi
  code=0
  wait "$child" || code=$?
  # A signal that came meanwhile ended the wait, not the agent.
  while lives; do code=0; wait "$child" || code=$?; done
  child= woken=
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
  if [ ! -d "$state" ]; then
    say "its state folder is gone: $state"
    exit 1
  fi
  now
  if [ $((at - began)) -lt 10 ]; then quick=$((quick + 1)); else quick=0 rests=0; fi
  if [ $quick -ge 5 ] && mv "$state/agent.previous" "$state/agent.program" 2>/dev/null; then
    say "the agent ends again and again: back to the one before it"
    quick=0
  fi
  secs=0.05
  [ $quick -lt 4 ] || secs=60
  [ $quick -lt 4 ] || [ $rests -gt 5 ] || secs=$((1 << rests))
  say "the agent ended with $code: it is started again in $secs s"
  pause $secs
  # Somebody is there, and may have removed the cause.
  if [ -n "$woken" ]; then rests=0; elif [ $quick -ge 4 ]; then rests=$((rests + 1)); fi
  [ -z "$told" ] || exit 0
done
`;

/** Writes the loop if it differs from this xy's. A running loop continues with the text that it has read. */
export function writeLoopText(state: string): void {
  const path = agentLoopPath(state);
  if (isFileWith(path, LOOP)) return;
  makeWayForFile(path);
  writeAtomic(path, LOOP, { durable: true });
}

/** Records which loop was started, until an agent has recorded it. */
export function writeLoopRecord(state: string, pid: number): void {
  const loop = identify(pid);
  if (loop === undefined) return;
  makeWayForFile(loopRecordPath(state));
  writeAtomic(loopRecordPath(state), JSON.stringify(loop));
}

/**
 * The loop that restarts a state folder's agent, if one is known and runs. A record may name a process that is no longer a
 * loop, or never was: a loop has its script in its command line.
 */
export function livingLoop(state: string): ProcessId | undefined {
  const agents = recordIn(agentRecordPath(state)) as { loop?: unknown } | undefined;
  return [agents?.loop, recordIn(loopRecordPath(state))].filter(isProcessId).find(isLoop);
}

function recordIn(path: string): unknown {
  try {
    return readJson(path) ?? undefined;
  } catch {
    return undefined;
  }
}

function isProcessId(value: unknown): value is ProcessId {
  if (typeof value !== "object" || value === null) return false;
  const { pid, start, boot } = value as Partial<ProcessId>;
  return (
    Number.isSafeInteger(pid) && (pid as number) > 1 && typeof start === "string" && typeof boot === "string"
  );
}

const isLoop = (id: ProcessId) =>
  isRunning(id) && wordsOf(id.pid).some((word) => basename(word) === basename(agentLoopPath("")));

/**
 * Ends a loop's pause, as its agent is needed now. The signal does nothing to a loop that is not listening yet, or is of an
 * earlier version.
 */
export function wakeLoop(state: string): void {
  const loop = livingLoop(state);
  if (loop) signalExactly(loop, "SIGCONT");
}

/** Tells the loop to exit, and an agent that is coming up under it. False if there is none. */
export function endLoop(state: string): boolean {
  const loop = livingLoop(state);
  return loop !== undefined && signalExactly(loop, "SIGTERM");
}
