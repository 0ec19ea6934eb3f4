import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileRecords } from "../clients/records.ts";
import { DATA_EXTENSIONS } from "../config/read/data.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";
import { type Generation, latestGeneration } from "./generations.ts";

/** What the records say of a project, without a look at what runs and without evaluating its configuration. */

export interface Recorded {
  /** What was applied last. */
  readonly last?: Generation;
  /** Files of its configuration that were written, added or removed since. */
  readonly changedFiles: readonly string[];
  readonly clients: readonly { readonly client: string; readonly file: string; readonly entries: number }[];
}

export function recordedOf(state: string, project: string): Recorded {
  const last = latestGeneration(state, project);
  const clients = fileRecords(state).flatMap(({ client, file, entries }) => {
    const own = Object.values(entries).filter((entry) => entry.project === project).length;
    return own === 0 ? [] : [{ client, file, entries: own }];
  });
  return { ...(last && { last }), changedFiles: last ? filesChangedSince(last) : [], clients };
}

/** The projects with servers on record, and how many. */
export function projectSizes(state: string): { project: string; servers: number }[] {
  return recordedProjects(state)
    .map((project) => ({ project, servers: recordedBackends(state, project).length }))
    .filter(({ servers }) => servers > 0);
}

/** Most files that are looked at. */
const MOST_FILES = 2000;

function filesChangedSince({ files, at }: Generation): string[] {
  const folders = new Set(files.map(dirname).filter((folder) => basename(folder) === "servers.d"));
  const there = [...folders].flatMap((folder) => filesIn(folder).map((name) => join(folder, name)));
  const known = new Set(files);
  const added = there.filter((file) => DATA_EXTENSIONS.includes(extname(file)) && !known.has(file));
  const written = files.slice(0, MOST_FILES).filter((file) => (writtenAt(file) ?? at + 1) > at);
  return [...written, ...added].sort();
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, MOST_FILES);
  } catch {
    return [];
  }
}

/** Unix ms; undefined: it is not there. */
function writtenAt(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}
