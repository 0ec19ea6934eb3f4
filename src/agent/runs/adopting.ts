import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { ProcessId } from "../../model/process.ts";
import { endStrayProbes } from "../../probes/command.ts";
import { isCode, makeWayForFolder } from "../../system/files.ts";
import { ensurePrivateDir } from "../../system/paths.ts";
import { isRunning, parentOf, signalProcess } from "../../system/processes.ts";
import { causeText } from "../../system/shortage.ts";
import type { Connection } from "./connection.ts";
import { Incarnation, type RunContext } from "./incarnation.ts";
import { makeFifosAt } from "./keeper.ts";
import { isAnothers, keeperAnswers, keeperAs } from "./keepers.ts";
import {
  type Doors,
  doorsOf,
  hasKeeper,
  isFifoItself,
  openRunFiles,
  readPid,
  readStatus,
  removeTraps,
} from "./run-folder.ts";

/** Longest wait for a keeper that was just started to write down its pid, ms. */
const KEEPER_GRACE = 1000;

/**
 * Finds the run that an earlier agent left in a run folder: undefined when nothing of it ever ran, and then nothing
 * will. The caller begins it with `resume`. One that cannot be reached now is `unwatched`, and is tried again.
 */
export async function adoptIncarnation(
  dir: string,
  known: ProcessId | undefined,
  context: RunContext,
): Promise<Incarnation | undefined> {
  const process = ownProcess(known, dir);
  if (!context.keeper && isBlank(dir, process)) return undefined;
  const incarnation = new Incarnation(dir, context);
  await incarnation.reach(process, () => reachRun(dir, process, context));
  return incarnation;
}

/** What was recorded, unless another state folder, of which this one is a copy, has the process. */
function ownProcess(known: ProcessId | undefined, dir: string): ProcessId | undefined {
  try {
    return known && isRunning(known) && isAnothers(known.pid, dir) ? undefined : known;
  } catch {
    return known;
  }
}

/** False as long as nobody can look. */
function isBlank(dir: string, known: ProcessId | undefined): boolean {
  try {
    return neverStarted(dir, known);
  } catch {
    return false;
  }
}

/** Throws if it cannot be examined now. */
async function reachRun(
  dir: string,
  known: ProcessId | undefined,
  { log, keeper: found }: RunContext,
): Promise<Connection> {
  const keeper = await keeperIn(dir, known, found);
  const doors = doorsOf(dir, keeper?.pid);
  const facts = keeper && { pid: keeper.pid, adopted: keeper, answers: keeperAnswers(keeper.pid) };
  try {
    await mendFolder(dir, doors);
    endStrayProbes(dir);
    removeTraps(dir);
    log.open();
    // What is read would be lost: it waits in the pipe.
    const [fault] = log.faults;
    if (fault !== undefined) return { keeper: facts, doors, files: { reason: fault } };
    return { keeper: facts, doors, files: withReserve(() => openRunFiles(doors)) };
  } catch (error) {
    const reason = `its run folder ${dir} cannot be used: ${causeText(error)}`;
    return { keeper: facts, doors, files: { reason } };
  }
}

/** Descriptors that the agent keeps free for its own work: to serve, to write records, to look at processes. */
const RESERVE = 16;

/** Opens what is opened for long as if there were so many descriptors fewer. Throws when there are not enough. */
function withReserve<T>(open: () => T): T {
  const reserve: number[] = [];
  try {
    while (reserve.length < RESERVE) reserve.push(fs.openSync("/dev/null", "r"));
    return open();
  } finally {
    for (const fd of reserve) fs.closeSync(fd);
  }
}

/**
 * Somebody deleted the folder under a living server, or what is in it. It is kept all the same, since there must not be a
 * second one beside it: through what its keeper holds, where the system shows that. Else its output is lost, and its exit
 * code.
 */
async function mendFolder(dir: string, doors: Doors): Promise<void> {
  makeWayForFolder(dirname(dir));
  if (fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === false) fs.rmSync(dir);
  ensurePrivateDir(dir);
  const broken = Object.values(doors).filter((path) => dirname(path) === dir && !isFifoItself(path));
  for (const path of broken) fs.rmSync(path, { recursive: true, force: true });
  if (broken.length > 0) await makeFifosAt(broken);
}

/**
 * True when the folder holds no sign of life. It is renamed away before the last look: a keeper that was slow to
 * come finds no fifos and ends, one that came in between is seen, and the folder put back.
 */
function neverStarted(dir: string, known: ProcessId | undefined): boolean {
  if (known && isRunning(known)) return false;
  const lives = (at: string) => hasKeeper(at) || readStatus(at) || readPid(at, "pid") !== undefined;
  if (lives(dir)) return false;
  const aside = join(dirname(dir), `gone-${process.pid}-${Date.now()}`);
  try {
    fs.renameSync(dir, aside);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return true;
    throw error;
  }
  if (lives(aside)) {
    fs.renameSync(aside, dir);
    return false;
  }
  fs.rmSync(aside, { recursive: true, force: true });
  return true;
}

/** Kills what a keeper holds in a run folder of which nothing else is known. False: there is none. */
export async function endStrayRun(dir: string): Promise<boolean> {
  const keeper = await keeperIn(dir, undefined);
  if (keeper === undefined || !isRunning(keeper)) return false;
  signalProcess(-keeper.pid, "SIGKILL");
  return true;
}

/**
 * The keeper of a run folder. The number in its file is a claim, which the server can change: a keeper has its label and
 * the folder among the words that it was started with, or holds the folder's fifos.
 */
async function keeperIn(
  dir: string,
  known: ProcessId | undefined,
  found?: ProcessId,
): Promise<ProcessId | undefined> {
  if (found && isRunning(found)) return found;
  const above = known && isRunning(known) ? keeperAs(parentOf(known.pid), dir) : undefined;
  if (above) return above;
  return hasKeeper(dir) ? keeperAs(await keeperPid(dir), dir) : undefined;
}

async function keeperPid(dir: string): Promise<number | undefined> {
  const until = Date.now() + KEEPER_GRACE;
  for (;;) {
    const pid = readPid(dir, "keeper");
    if (pid !== undefined || Date.now() > until) return pid;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
