import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { FormerName } from "../model/former.ts";
import { isOwnWay } from "../system/private-folder.ts";
import {
  boundAt,
  isConfigFile,
  isGone,
  leadsToSame,
  type ProjectRecord,
  placeOf,
  readProject,
  recordedProjects,
  rootNamed,
} from "../system/projects.ts";

/** By which name a root goes, and whether a project is bound to it. Decision 31 has the reasons. */

/** Where a configuration is. */
export interface Here {
  /** Its folder, by the name that it goes by. */
  readonly root: string;
  /** What `--config` has to be to find it. */
  readonly config: string;
  /** Real path of its folder. */
  readonly place: string;
}

/**
 * The name of a root that a person typed in this way. One root has one name: the one by which a project was first bound
 * to it. A name counts only if no other account can change where it leads; otherwise the root's real place is used.
 */
export function nameOfRoot(state: string, typed: string): string {
  const place = placeOf(typed);
  if (place === undefined) return typed;
  const names = records(state).flatMap(({ record }) => givenName(record) ?? []);
  const isSame = (name: string) => leadsToSame(name, typed) && isOwnWay(name);
  if (names.includes(typed) && isOwnWay(typed)) return typed;
  return names.find(isSame) ?? ownName(typed);
}

/** The same where nothing is recorded: the name that was typed, or a real path. */
export function ownName(typed: string): string {
  if (isOwnWay(typed)) return typed;
  const place = placeOf(typed) ?? typed;
  const folder = placeOf(dirname(typed));
  // A file has its own name also where it is a link.
  return isFolder(place) || folder === undefined ? place : join(folder, basename(typed));
}

/** Every project that has a record. */
export const records = (state: string): { project: string; record: ProjectRecord }[] =>
  recordedProjects(state).flatMap((project) => {
    const record = readProject(state, project);
    return record ? [{ project, record }] : [];
  });

/** The name that a project is bound to: of a folder, or of a file that is a configuration by itself. */
export const boundName = ({ config }: Pick<ProjectRecord, "config">): string => rootNamed(config);

/** The same, if a person gave it: a real path that an earlier version recorded is not a name. */
function givenName(record: ProjectRecord): string | undefined {
  const isName = record.place !== undefined || boundName(record) !== record.root;
  return isName ? boundName(record) : undefined;
}

/** Whether a project that has this record, and the name of the configuration here, is bound to that. */
export function isBoundTo(record: ProjectRecord, here: Here): boolean {
  return isKnownAs(record, here) || (isHere(record, here) && isGone(boundName(record)));
}

const isHere = ({ place, root }: ProjectRecord, here: Here) => (place ?? root) === here.place;

/** The same of a record of whatever project. A file that is gone may have been another than that which is here. */
function isKnownAs(record: ProjectRecord, here: Here): boolean {
  const bound = boundName(record);
  const named = boundName(here);
  // Several main files in one folder are a configuration each.
  const isOtherMain =
    here.config !== named &&
    record.config !== bound &&
    basename(here.config) !== basename(record.config) &&
    !isGone(record.config);
  if (isOtherMain) return false;
  if (bound === named || leadsToSame(bound, named)) return true;
  if (!isHere(record, here)) return false;
  // Its link has gone, and what that led to is here; or its file is written in another format.
  if (isGone(bound)) return !isConfigFile(bound) || stem(bound) === stem(named);
  if (isFolder(bound) && !isFolder(named)) return !hasConfiguration(bound);
  // Earlier versions have asked for nothing but the place.
  return record.place === undefined && isFolder(bound);
}

/** What else records may call what is here, once the project is bound to it. `adopts`: it is moved here. */
export function formerNames(
  record: ProjectRecord | undefined,
  here: Here,
  adopts = false,
): readonly FormerName[] {
  if (record === undefined || !(isBoundTo(record, here) || (adopts && isLaterBuild(record, here)))) return [];
  const { former = [], root } = record;
  const all = root === here.root ? former : [...former, widest(root, here.root)];
  return all.filter(({ from }) => from !== here.root);
}

/**
 * By which names a plan may find, beside those, what is in the root: `..` out of a folder in it that is a link leads to a
 * real path. So where stow makes a folder of the root's link, what led through the link is named by what that led to; and
 * the other way round. The last of these are of no use to a record: the next turn makes others.
 */
export function namesToday(
  record: ProjectRecord | undefined,
  here: Here,
  adopts = false,
): readonly FormerName[] {
  const former = formerNames(record, here, adopts);
  if (record?.place === undefined || !isBoundTo(record, here)) return former;
  const { root, place } = record;
  const turned = place === here.place ? [] : [{ from: root, to: place }];
  // First, so that what the others make of a name stays.
  return [...turned, { from: here.place, to: here.root }, ...former].filter(({ from, to }) => from !== to);
}

/** Those, with what has become of the places by now. */
export const asTheyAre = (former: readonly FormerName[]): FormerName[] =>
  former.map(({ from, to }) => ({ from, to, isGone: !leadsToSame(from, to) }));

/** Files in a store are never edited: what is there now is a new build of the same configuration. */
function isLaterBuild({ root }: ProjectRecord, { place }: Here): boolean {
  return isReadOnly(place) && (isGone(root) || isReadOnly(root));
}

function isReadOnly(path: string): boolean {
  try {
    return (statSync(path).mode & 0o222) === 0;
  } catch {
    return false;
  }
}

/** Two names of one folder; of one above them, where those are the same too, and what follows is. */
function widest(from: string, to: string): FormerName {
  const [above, aboveTo] = [dirname(from), dirname(to)];
  const climbs = above !== from && basename(from) === basename(to) && leadsToSame(above, aboveTo);
  return climbs && above !== aboveTo ? widest(above, aboveTo) : { from, to };
}

/** The project that a configuration here was applied as before, of the names that it may have had without saying one. */
export function appliedAs(state: string, here: Here, names: readonly string[]): string | undefined {
  return names.find((name) => {
    const record = readProject(state, name);
    return record !== undefined && isKnownAs(record, here);
  });
}

/** Every project that is bound to the configuration here; that which was applied last comes first. */
export function projectsHere(state: string, here: Here): { project: string; at: number }[] {
  return records(state)
    .filter(({ record }) => isKnownAs(record, here))
    .map(({ project, record }) => ({ project, at: boundAt(state, project, record) }))
    .sort((a, b) => b.at - a.at);
}

const stem = (path: string) => basename(path, extname(path));

const hasConfiguration = (folder: string) =>
  readdirSync(folder).some((name) => name === "servers.d" || name.startsWith("xy.config."));

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
