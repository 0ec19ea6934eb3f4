import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BACKENDS, type BackendKind } from "../model/backends.ts";
import type { FormerName } from "../model/former.ts";
import { NAME_PATTERN } from "../model/name.ts";
import {
  InTheWay,
  isCode,
  isFolder,
  isTaken,
  leadsTo,
  makeWayForFolder,
  type ReadRecord,
  readRecord,
  writeAtomic,
} from "./files.ts";
import { ensurePrivateDir, projectDir, projectsDir } from "./paths.ts";

/** What the state folder records about a project, besides its servers. */
export interface ProjectRecord {
  /** Folder of the configuration that the project is bound to, as it was named. In records without `place`: its real path. */
  readonly root: string;
  /** The value of `--config` that finds it, for a later reload. */
  readonly config: string;
  /** Real path of the root when it was bound; absent in records of versions that had no other name for it. */
  readonly place?: string;
  /** Which folder it was, wherever that is now; absent where nothing tells, and in records of versions that did not keep it. */
  readonly folder?: FolderId;
  /** Earlier names of its paths, which specs may still use. */
  readonly former?: readonly FormerName[];
  /** Unix ms at which it was bound last; absent in earlier records: see {@link boundAt}. */
  readonly at?: number;
  /** Ports chosen for servers with `auto`, kept for good. */
  readonly ports: Readonly<Record<string, number>>;
  /** Servers whose port a person wants chosen again; until the next apply, `ports` still has the old one. */
  readonly reset?: readonly string[];
  /** Somebody had consented to its root when it was applied; absent in records of versions that did not ask. */
  readonly asked?: boolean;
  /** This machine's name from XY_HOST at the last apply: a later reload uses it too. */
  readonly host?: string;
}

/**
 * What tells a folder from another one in its place. The device does not: it changes over reboots. The inode alone does
 * not either: a file system often gives that of a removed folder to the next one.
 */
export interface FolderId {
  readonly inode: string;
  /** Time of birth, in ns. */
  readonly born: string;
}

/** Undefined if nothing is there, or the file system knows no time of birth. */
export function folderId(folder: string): FolderId | undefined {
  const info = statSync(folder, { bigint: true, throwIfNoEntry: false });
  if (info === undefined || info.birthtimeNs === 0n) return undefined;
  return { inode: String(info.ino), born: String(info.birthtimeNs) };
}

const recordPath = (state: string, project: string) => join(projectDir(state, project), "project.json");

/** Unix ms at which a project was bound last. */
export const boundAt = (state: string, project: string, { at }: Pick<ProjectRecord, "at">): number =>
  at ?? leadsTo(recordPath(state, project))?.mtimeMs ?? 0;

/** Undefined for a project that was never applied. */
export function readProject(
  state: string,
  project: string,
  reading: ReadRecord = readRecord,
): ProjectRecord | undefined {
  // One torn record must not block every other project.
  return reading(recordPath(state, project), projectIn);
}

function projectIn(value: unknown): ProjectRecord {
  const { root, config, ports, reset, asked, host, place, folder, former, at } = value as ProjectRecord;
  if (typeof root !== "string") throw new TypeError("no root");
  return {
    ...{ root, config: config ?? root, ports: ports ?? {} },
    ...(Array.isArray(reset) && reset.length > 0 ? { reset } : {}),
    ...(asked === true ? { asked } : {}),
    ...(typeof place === "string" ? { place } : {}),
    ...(isFolderId(folder) ? { folder } : {}),
    ...(isFormer(former) ? { former } : {}),
    ...(typeof at === "number" ? { at } : {}),
    ...(typeof host === "string" ? { host } : {}),
  };
}

const isFolderId = (value: unknown): value is FolderId =>
  typeof (value as FolderId)?.inode === "string" && typeof (value as FolderId).born === "string";

const isFormer = (value: unknown): value is readonly FormerName[] =>
  Array.isArray(value) && value.every((one) => typeof one?.from === "string" && typeof one?.to === "string");

export function writeProject(state: string, project: string, record: ProjectRecord): void {
  makeWayForFolder(projectDir(state, project));
  ensurePrivateDir(projectDir(state, project));
  writeAtomic(recordPath(state, project), JSON.stringify({ version: 1, ...record }, null, 2), {
    durable: true,
  });
}

/** Whether two paths lead to the same place. */
export function isSamePath(a: string, b: string): boolean {
  return a === b || leadsToSame(a, b);
}

/** The same, but only for what exists. */
export function leadsToSame(a: string, b: string): boolean {
  const place = placeOf(a);
  return place !== undefined && place === placeOf(b);
}

/** Where a path leads; undefined if nothing is there, or it cannot be seen. */
export function placeOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The main file of a root stands for its folder. */
export const rootNamed = (path: string) => (/\/xy\.config\.[a-z]+$/.test(path) ? dirname(path) : path);

/** A project with servers on record whose root is gone. */
export interface LostRoot {
  readonly project: string;
  /** Where it was: a folder, or a file that was a whole configuration. */
  readonly root: string;
}

/** Whether a recorded `--config` is a file that is a whole configuration, whether or not it exists. */
export const isConfigFile = (config: string): boolean =>
  /\.([mc]?[tj]s|kdl|ya?ml|json)$/.test(config) &&
  !/^xy\.config\./.test(basename(config)) &&
  !isDirectory(config);

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Those of the projects whose root was removed, moved or renamed. One that only cannot be looked at is none. */
export function lostRoots(
  state: string,
  projects: readonly string[] = recordedProjects(state),
  reading: ReadRecord = readRecord,
): LostRoot[] {
  return projects.flatMap((project) => {
    const record = readProject(state, project, reading);
    if (record === undefined) return [];
    const root = isConfigFile(record.config) && !isGone(record.root) ? record.config : record.root;
    if (!isGone(root)) return [];
    return recordedBackends(state, project).length === 0 ? [] : [{ project, root }];
  });
}

/** Nothing is there; what cannot be looked at may be. */
export function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return isCode(error, "ENOTDIR");
  }
}

/** Says so, with the way out. */
export function lostRootText({ project, root }: LostRoot): string {
  return `the ${isConfigFile(root) ? "file" : "folder"} of project ${project} is gone: ${root}; if it was moved or renamed, run \`xy apply --adopt-project\` in its new place (with \`project "${project}"\` in its configuration); otherwise remove its servers with \`xy destroy --project ${project}\``;
}

/** Names of all projects in the state folder. Throws where something else has the place of their folder: none would be known. */
export function recordedProjects(state: string): string[] {
  const dir = projectsDir(state);
  if (!isFolder(dir) && isTaken(dir))
    throw new InTheWay(
      `cannot read ${dir}: it is not a folder, but should hold the records of all projects; move it away, or restore it`,
    );
  return namedFolders(dir);
}

/** Every server of the project that is recorded, and with whom; one that moves may be with two. In name order. */
export function recordedBackends(state: string, project: string): { name: string; backend: BackendKind }[] {
  const all = BACKENDS.flatMap((backend) => {
    const names =
      backend === "agent" ? recordedNames(state, project) : recordedUnits(state, project, backend);
    return names.map((name) => ({ name, backend }));
  });
  return all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** What is kept of servers that run as units of a service manager: a folder for each manager. */
export const unitsDir = (state: string, project: string) => join(projectDir(state, project), "units");

/** Names of the project's servers that run as units of this manager. */
export function recordedUnits(state: string, project: string, kind: BackendKind): string[] {
  if (!existsSync(unitsDir(state, project))) return [];
  const entries = entriesOf(join(unitsDir(state, project), kind)).filter((entry) => entry.isFile());
  const names = entries.flatMap(({ name }) =>
    name.endsWith(".json") ? [name.slice(0, -".json".length)] : [],
  );
  return names.filter((name) => NAME_PATTERN.test(name)).sort();
}

/** The project's actions, as they were applied last. */
export const actionsPath = (state: string, project: string) =>
  join(projectDir(state, project), "actions.json");

export function hasActions(state: string, project: string): boolean {
  return existsSync(actionsPath(state, project));
}

/** Commands were typed in the project, and their jobs are kept. */
export function hasTypedJobs(state: string, project: string): boolean {
  return existsSync(join(projectDir(state, project), "jobs", "inline"));
}

/** Names of the project's servers that the agent has a record of. */
export function recordedNames(state: string, project: string): string[] {
  const dir = join(projectDir(state, project), "servers");
  // What a removal that was cut short has left is no server any more.
  return namedFolders(dir).filter((name) => RECORDS.some((record) => existsSync(join(dir, name, record))));
}

const RECORDS = ["spec.json", "state.json", "run"];

/** Other entries, such as those that a file manager leaves, are none of ours. */
export function namedFolders(dir: string): string[] {
  return entriesOf(dir)
    .flatMap((e) => (e.isDirectory() && NAME_PATTERN.test(e.name) ? [e.name] : []))
    .sort();
}

function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return [];
    throw error;
  }
}

/** Sets aside anything but a folder in the place of a server's folder: what was recorded there is lost, and reported so. */
export function makeWayForServers(state: string): string[] {
  return recordedProjects(state).flatMap((project) => {
    const dir = join(projectDir(state, project), "servers");
    const names = entriesOf(dir).flatMap(({ name }) => (NAME_PATTERN.test(name) ? [join(dir, name)] : []));
    return [dir, ...names].flatMap((path) => makeWayForFolder(path) ?? []);
  });
}

/** Beside the projects' folders, so that one can be forgotten while its lock is held. */
export const projectLockPath = (state: string, project: string) =>
  join(state, "locks", basename(projectDir(state, project)));
