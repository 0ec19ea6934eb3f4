import * as fs from "node:fs";
import { dirname } from "node:path";
import type { Mark, ProcessTable } from "../model/family.ts";
import { NAME_PATTERN } from "../model/name.ts";
import type { ProcessId } from "../model/process.ts";
import { keptFolder } from "./family.ts";
import { bootId, processTable } from "./processes.ts";
import { isSamePath } from "./projects.ts";

/**
 * What runs of a state folder, found among the processes of the machine: whatever became of the records, a keeper was
 * started with its run folder, and what a server prints goes into a fifo there. What belongs to the run folders of
 * another state folder is somebody else's.
 */

/** A run of which something lives. */
export interface Survivor {
  readonly dir: string;
  /** Absent for a run of a job. */
  readonly server?: { readonly project: string; readonly name: string; readonly inc: number };
  readonly keeper?: ProcessId;
  /** Its program, or what is left of it: what its keeper has started, or else what prints into its fifos. */
  readonly processes: readonly Mark[];
}

/** All of a state folder. Takes one look at all processes of the machine; throws when nobody can look. */
export async function survivorsIn(state: string): Promise<Survivor[]> {
  const table = await processTable();
  const places = new Places(state);
  const found = new Map<string, { keeper?: ProcessId; processes: Mark[] }>();
  const of = (dir: string) => {
    const one = found.get(dir) ?? { processes: [] };
    found.set(dir, one);
    return one;
  };
  for (const { pid, start, group } of table.rows) {
    if (pid === process.pid) continue;
    const kept = pid === group ? keptFolder(pid) : undefined;
    // Its folder may have another name by now, or may be gone, and another one there.
    const dir = places.inState(kept === undefined ? fifosOf(pid, [1, 2]) : [...fifosOf(pid, [3]), kept]);
    if (dir === undefined || !isOurs(pid)) continue;
    if (kept === undefined) of(dir).processes.push({ pid, start });
    else of(dir).keeper = { pid, start, boot: bootId() };
  }
  return [...found].map(([dir, one]) => survivor(dir, one, table));
}

/** Whether a server runs, of this project if one is named, as far as anybody can look. */
export async function anySurvives(state: string, project?: string): Promise<boolean> {
  const found = await survivorsIn(state).catch(() => []);
  return found.some(({ server }) => server && (project ?? server.project) === server.project);
}

function survivor(
  dir: string,
  { keeper, processes }: { keeper?: ProcessId; processes: Mark[] },
  table: ProcessTable,
): Survivor {
  const server = serverOf(dir);
  const children = keeper ? table.childrenOf(keeper.pid).flatMap((pid) => table.byPid.get(pid) ?? []) : [];
  const own = keeper ? children.map(({ pid, start }) => ({ pid, start })) : processes;
  return { dir, processes: own, ...(server ? { server } : {}), ...(keeper ? { keeper } : {}) };
}

/** `STATE/projects/P/servers/NAME/run/7`, and the same of an attempt of a job. */
const RUN =
  /^(.*)(\/projects\/([^/]+)\/(?:servers\/([^/]+)\/run\/(\d+)|jobs\/(?:(?:servers|actions)\/[^/]+|inline)\/run\/\d+\/\d+))$/;

function serverOf(dir: string): Survivor["server"] {
  const [, , , project = "", name = "", inc] = RUN.exec(dir) ?? [];
  if (!NAME_PATTERN.test(project) || !NAME_PATTERN.test(name)) return undefined;
  return Number(inc) > 0 ? { project, name, inc: Number(inc) } : undefined;
}

/** Where paths that processes were started with lead to, by the name that the state folder has now. */
class Places {
  readonly #state: string;
  readonly #known = new Map<string, boolean>();

  constructor(state: string) {
    this.#state = state;
  }

  /** The first of these that is a run folder in the state folder, by its name below that. */
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

/** Of this account, and with the same files as we: a container has its own, by the same names. */
function isOurs(pid: number): boolean {
  try {
    if (fs.statSync(`/proc/${pid}`).uid !== process.getuid?.()) return false;
    return fs.readlinkSync(`/proc/${pid}/ns/mnt`) === fs.readlinkSync("/proc/self/ns/mnt");
  } catch {
    return false;
  }
}

/** The folders of the fifos that it has by these numbers, by the names that they have, or had when they were deleted. */
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
