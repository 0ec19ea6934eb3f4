import * as fs from "node:fs";
import { dirname } from "node:path";
import type { Mark, ProcessRow, ProcessTable } from "../model/family.ts";
import { NAME_PATTERN } from "../model/name.ts";
import type { ProcessId } from "../model/process.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { keptFolder } from "./family.ts";
import { bootId, processTable } from "./processes.ts";
import { isSamePath } from "./projects.ts";

/**
 * What runs from a state folder, found in the process table: whatever happened to the records, a keeper was started with
 * its run folder, and a server's output goes into a fifo there. Processes with run folders in another state folder are
 * not ours.
 */

/** A run with a process that is still alive. */
export interface Survivor {
  readonly dir: string;
  /** Absent for a job's run. */
  readonly server?: { readonly project: string; readonly name: string; readonly inc: number };
  readonly keeper?: ProcessId;
  /** Its program, or what is left of it: what its keeper started, else what prints into its fifos. */
  readonly processes: readonly Mark[];
}

/** All survivors of a state folder. Reads the process table once; throws if that is not possible. */
export async function survivorsIn(state: string): Promise<Survivor[]> {
  const table = await processTable();
  const places = new Places(state);
  const found = new Map<string, { keeper?: ProcessId; processes: Mark[] }>();
  const of = (dir: string) => {
    const one = found.get(dir) ?? { processes: [] };
    found.set(dir, one);
    return one;
  };
  for (const row of table.rows) {
    const { pid, start, group } = row;
    if (pid === process.pid || isOfKernel(row)) continue;
    const kept = pid === group ? keptFolder(pid) : undefined;
    // Its folder may have been renamed, or removed and replaced by another.
    const dir = places.inState(kept === undefined ? fifosOf(pid, [1, 2]) : [...fifosOf(pid, [3]), kept]);
    if (dir === undefined || !isOurs(pid)) continue;
    if (kept === undefined) of(dir).processes.push({ pid, start });
    else of(dir).keeper = { pid, start, boot: bootId() };
  }
  return [...found].map(([dir, one]) => survivor(dir, one, table));
}

/** Whether a server runs, of this project if one is named, as far as can be seen. */
export async function anySurvives(state: string, project?: string): Promise<boolean> {
  const found = await survivorsIn(state).catch(() => []);
  return found.some(({ server }) => server && (project ?? server.project) === server.project);
}

/** A thread of the kernel. It has no files, and to learn that of hundreds takes longer than all else. */
const isOfKernel = ({ pid, parent, group, session }: ProcessRow) =>
  (pid === 2 || parent === 2) && group === 0 && session === 0;

function survivor(
  dir: string,
  { keeper, processes }: { keeper?: ProcessId; processes: Mark[] },
  table: ProcessTable,
): Survivor {
  const server = serverOf(dir);
  const children = keeper ? table.childrenOf(keeper.pid).flatMap((pid) => table.byPid.get(pid) ?? []) : [];
  const own = keeper ? children.map(({ pid, start }) => ({ pid, start })) : processes;
  return { dir, processes: own, ...withoutUndefined({ server, keeper }) };
}

/** `STATE/projects/P/servers/NAME/run/7`, and the like for an attempt of a job. */
const RUN =
  /^(.*)(\/projects\/([^/]+)\/(?:servers\/([^/]+)\/run\/(\d+)|jobs\/(?:(?:servers|actions)\/[^/]+|inline)\/run\/\d+\/\d+))$/;

function serverOf(dir: string): Survivor["server"] {
  const [, , , project = "", name = "", inc] = RUN.exec(dir) ?? [];
  if (!NAME_PATTERN.test(project) || !NAME_PATTERN.test(name)) return undefined;
  return Number(inc) > 0 ? { project, name, inc: Number(inc) } : undefined;
}

/** Resolves paths that processes were started with, relative to the state folder's current name. */
/** Whether a run folder, as a keeper was started with it, lies in this state folder. */
export const isRunIn = (state: string, dir: string): boolean =>
  new Places(state).inState([dir]) !== undefined;

class Places {
  readonly #state: string;
  readonly #known = new Map<string, boolean>();

  constructor(state: string) {
    this.#state = state;
  }

  /** The first of these that is a run folder in the state folder, as a relative path. */
  inState(dirs: readonly string[]): string | undefined {
    for (const dir of dirs) {
      const [, root, rest] = RUN.exec(dir) ?? [];
      if (root !== undefined && this.#isState(root)) return `${this.#state}${rest}`;
    }
    return undefined;
  }

  #isState(root: string): boolean {
    const known = this.#known.get(root) ?? isSamePath(root, this.#state);
    this.#known.set(root, known);
    return known;
  }
}

/** Whether it belongs to this account and sees the same files: a container has other files by the same names. */
function isOurs(pid: number): boolean {
  try {
    if (fs.statSync(`/proc/${pid}`).uid !== process.getuid?.()) return false;
    return fs.readlinkSync(`/proc/${pid}/ns/mnt`) === fs.readlinkSync("/proc/self/ns/mnt");
  } catch {
    return false;
  }
}

/** The folders of its fifos with these descriptors, by their current names, or by their last ones if deleted. */
function fifosOf(pid: number, numbers: readonly number[]): string[] {
  return numbers.flatMap((fd) => {
    try {
      const path = fs.readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/ \(deleted\)$/, "");
      return /\/(out|err)$/.test(path) ? [dirname(path)] : [];
    } catch {
      return [];
    }
  });
}
