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

/** How long a new keeper may take to write its pid, ms. */
const KEEPER_GRACE = 1000;

/**
 * Finds the run that an earlier agent left in a run folder; undefined if nothing of it ever ran, and then nothing will.
 * The caller begins it with `resume`. A run that cannot be reached now is `unwatched`, and is tried again.
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

/** The recorded process, unless it belongs to another state folder of which this one is a copy. */
function ownProcess(known: ProcessId | undefined, dir: string): ProcessId | undefined {
  try {
    return known && isRunning(known) && isAnothers(known.pid, dir) ? undefined : known;
  } catch {
    return known;
  }
}

/** False while this cannot be checked. */
function isBlank(dir: string, known: ProcessId | undefined): boolean {
  try {
    return neverStarted(dir, known);
  } catch {
    return false;
  }
}

/** Throws if the folder cannot be examined now. */
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
    // Output that is read now would be lost: it waits in the pipe.
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

/** Opens long-lived files while keeping that many descriptors free. Throws when there are not enough. */
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
 * Somebody deleted the folder of a running server, or files in it. The server is adopted all the same, so that no second
 * one starts beside it: through the fifos that its keeper holds, where the system shows them. Elsewhere its output and
 * exit code are lost.
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
 * True if the folder shows no sign of life. It is renamed before the last look: a keeper that was slow to start finds no
 * fifos and exits; if one started in between, it is seen, and the folder gets its name back.
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

/** Kills the keeper of a run folder about which nothing else is known, with its processes. False: there is no keeper. */
export async function endStrayRun(dir: string): Promise<boolean> {
  const keeper = await keeperIn(dir, undefined);
  if (keeper === undefined || !isRunning(keeper)) return false;
  signalProcess(-keeper.pid, "SIGKILL");
  return true;
}

/**
 * The keeper of a run folder. The pid in its file is only a claim, since the server can change it: a keeper has its label
 * and the folder among its arguments, or holds the folder's fifos.
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
