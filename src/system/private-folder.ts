import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isSticky, othersCanWrite } from "../model/permissions.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isCode, readText } from "./files.ts";
import {
  agentLockPath,
  agentLoopPath,
  agentRecordPath,
  bridgeLauncherPath,
  bridgeProgramPath,
  closeDir,
  ensurePrivateDir,
  loopRecordPath,
  programPaths,
  programsDir,
  projectsDir,
} from "./paths.ts";
import { isPrivateGroup } from "./private-group.ts";
import {
  type Account,
  faultCommand,
  faultOf,
  faultText,
  type Purpose,
  type Step,
  type Way,
} from "./private-way.ts";

/**
 * The one gate before xy reads, runs or connects to anything that it keeps: anyone else who can write there could make xy
 * run anything, and hand over secrets.
 */

export const STATE_FOLDER: Purpose = { what: "the state folder", variable: "XDG_STATE_HOME" };
const STATE_FILE: Purpose = { what: "a part of the state folder", variable: "XDG_STATE_HOME" };
export const RUNTIME_FOLDER: Purpose = { what: "the folder of the socket", variable: "XDG_RUNTIME_DIR" };
const SOCKET: Purpose = { what: "the agent's socket", variable: "XDG_RUNTIME_DIR" };
export const CACHE: Purpose = { what: "a cache", variable: "XDG_CACHE_HOME" };

/**
 * Why others could control a file or folder, and what to do; undefined if only the account can, or if it does not exist
 * and nobody else can create it. Throws what mkdir throws: a folder that others could create first is made at once.
 */
export function whyNotPrivate(path: string, purpose: Purpose): string | undefined {
  const way = wayTo(path);
  const problem = problemIn(way, path, purpose);
  const couldBeTheirs = way.end === undefined && isSticky(way.folder) && othersCanWrite(way.folder);
  if (problem !== undefined || !couldBeTheirs) return problem;
  ensurePrivateDir(path);
  return problemIn(wayTo(path), path, purpose);
}

/** Whether only the account can control the state folder. Makes nothing, and answers no for one that is not there. */
export function isPrivate(path: string): boolean {
  const way = wayTo(path);
  return way.end !== undefined && problemIn(way, path, STATE_FOLDER) === undefined;
}

/** As {@link whyNotPrivate}, for what already exists. */
function problemIn(way: Way, path: string, purpose: Purpose): string | undefined {
  const account = thisAccount();
  const fault = faultOf(way, account);
  return fault && faultText(fault, path, purpose, account);
}

/** A path that others could control: what is wrong, with the way out, and the command of that if one is enough. */
export interface OpenWay {
  readonly text: string;
  readonly command?: string;
}

/** As {@link whyNotPrivate}, but only looks: nothing is made. */
export function seenProblem(path: string, purpose: Purpose): OpenWay | undefined {
  const account = thisAccount();
  const fault = faultOf(wayTo(path), account);
  if (fault === undefined) return undefined;
  return {
    text: faultText(fault, path, purpose, account),
    ...withoutUndefined({ command: faultCommand(fault, account) }),
  };
}

/** Everything in a state folder that is run or believed, and that others could control. Only looks. */
export const problemsInState = (state: string): OpenWay[] =>
  trustedParts(state).flatMap((path) => seenProblem(path, STATE_FILE) ?? []);

/** Why a state folder cannot be trusted: this checks the folder, and everything in it that is run or believed. */
export function whyNotTrusted(state: string): string | undefined {
  return (
    whyNotPrivate(state, STATE_FOLDER) ??
    firstProblem(trustedParts(state), (path) => problemIn(wayTo(path), path, STATE_FILE))
  );
}

function trustedParts(state: string): string[] {
  const { current, next, failed, previous } = programPaths(state);
  const bridge = [bridgeLauncherPath(state), bridgeProgramPath(state)];
  const programs = [...bridge, agentLoopPath(state), current, next, failed, previous, programsDir(state)];
  // Not the agent's log: nothing depends on it, and earlier versions created it with their umask.
  const records = [agentRecordPath(state), loopRecordPath(state), agentLockPath(state), projectsDir(state)];
  const others = ["clients", "key", "locks", "ready", "trust", "trusted.json"].map((name) =>
    join(state, name),
  );
  return [...programs, ...records, ...others];
}

/** Why not to connect to the agent that a state folder names; undefined if it is safe, or if there is none. */
export function whyNotConnect(state: string, socket: string): string | undefined {
  const record = agentRecordPath(state);
  return (
    problemIn(wayTo(state), state, STATE_FOLDER) ??
    problemIn(wayTo(record), record, STATE_FILE) ??
    problemIn(wayTo(socket), socket, SOCKET)
  );
}

/** Why the socket cannot be in the runtime folder. A missing folder is not a problem: it is not used. */
export function whyNotRuntime(runtime: string | undefined): string | undefined {
  return runtime === undefined ? undefined : problemIn(wayTo(runtime), runtime, RUNTIME_FOLDER);
}

/** A folder for things that can be made again. Undefined if it cannot be made, or if others can control it. */
export function privateCache(path: string): string | undefined {
  try {
    if (whyNotPrivate(path, CACHE) !== undefined) return undefined;
    closeDir(path);
    return path;
  } catch {
    return undefined;
  }
}

/**
 * Whether nobody else can redirect a path: every folder and link on the way belongs to the account or root, and others
 * cannot write to it. This does not judge the target.
 */
export function isOwnWay(path: string): boolean {
  const fault = faultOf(wayTo(path), thisAccount());
  return fault === undefined || fault.isEnd;
}

function firstProblem(
  paths: readonly string[],
  problemOf: (path: string) => string | undefined,
): string | undefined {
  for (const path of paths) {
    const problem = problemOf(path);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function thisAccount(): Account {
  // Node has no accounts on Windows, and xy none.
  const uid = process.getuid?.() ?? 0;
  return { uid, isPrivateGroup, isHiddenRoot };
}

/** The uid that Linux shows for accounts outside a user namespace. */
const OVERFLOW_UID = 65_534;

function isHiddenRoot(uid: number): boolean {
  if (uid !== OVERFLOW_UID) return false;
  const map = readText("/proc/self/uid_map");
  // A row: the first account here, the same outside, and how many.
  return map !== undefined && !/^\s*\d+\s+0\s/m.test(map);
}

/** Linux's own limit: it refuses a path that goes through more. */
const MOST_LINKS = 40;

/** One lstat call per name. Where a path cannot be seen any further, the way ends. */
function wayTo(path: string): Way {
  const names = namesIn(resolve(path));
  let folder = stepAt("/") as Step;
  let end: Step | undefined = folder;
  const steps = [folder];
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next: Step | undefined =
      name === ".." ? folderAt(steps, dirname(folder.path)) : stepAt(join(folder.path, name));
    if (next === undefined) return { steps, folder };
    if (name !== "..") steps.push(next);
    if (next.kind === "link") {
      const target = readlinkSync(next.path);
      links += 1;
      if (links > MOST_LINKS) return { steps, folder };
      names.unshift(...namesIn(target));
      if (target.startsWith("/")) folder = folderAt(steps, "/");
      end = folder;
    } else {
      end = next;
      if (next.kind === "folder") folder = next;
      else if (names.length > 0) return { steps, folder };
    }
  }
  return { steps, folder, ...(end && { end }) };
}

const namesIn = (path: string) => path.split("/").filter((name) => name !== "" && name !== ".");

const folderAt = (steps: readonly Step[], path: string) => steps.find((step) => step.path === path) as Step;

function stepAt(path: string): Step | undefined {
  try {
    const stat = lstatSync(path);
    const kind = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "other";
    return { path, kind, uid: stat.uid, gid: stat.gid, mode: stat.mode };
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "EACCES", "ENAMETOOLONG", "ELOOP")) return undefined;
    throw error;
  }
}
