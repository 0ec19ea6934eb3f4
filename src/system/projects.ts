import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isCode, readJson, writeAtomic } from "./files.ts";
import { ensurePrivateDir, projectDir, projectsDir } from "./paths.ts";

/** What the state folder keeps of a project, beside its servers. */
export interface ProjectRecord {
  /** Real path of the configuration root that the project's name is bound to. */
  readonly root: string;
  /** What `--config` was given as to find it, for a later reload. */
  readonly config: string;
  /** Ports given to servers that asked for `auto`, kept for good. */
  readonly ports: Readonly<Record<string, number>>;
}

const recordPath = (state: string, project: string) => join(projectDir(state, project), "project.json");

/** Undefined for a project that was never applied. */
export function readProject(state: string, project: string): ProjectRecord | undefined {
  const value = readJson(recordPath(state, project));
  if (value === undefined) return undefined;
  const { root, config, ports } = value as ProjectRecord;
  if (typeof root !== "string")
    throw new Error(`cannot read ${recordPath(state, project)}: it is not a project record`);
  return { root, config: config ?? root, ports: ports ?? {} };
}

export function writeProject(state: string, project: string, record: ProjectRecord): void {
  ensurePrivateDir(projectDir(state, project));
  writeAtomic(recordPath(state, project), JSON.stringify({ version: 1, ...record }, null, 2), {
    durable: true,
  });
}

/** Names of all projects in the state folder. */
export function recordedProjects(state: string): string[] {
  return folders(projectsDir(state));
}

/** Names of the project's servers that the agent has a record of. */
export function recordedNames(state: string, project: string): string[] {
  return folders(join(projectDir(state, project), "servers"));
}

function folders(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Beside the projects' folders, so that one can be forgotten while its lock is held. */
export const projectLockPath = (state: string, project: string) => join(state, "locks", project);
