import { rmSync } from "node:fs";
import { discover, type Root, type Search } from "../config/find/discover.ts";
import type { Result } from "../model/diagnostic.ts";
import type { ProcessId } from "../model/process.ts";
import { type Lock, tryLock } from "../system/lock.ts";
import { projectDir } from "../system/paths.ts";
import {
  folderId,
  isGone,
  type ProjectRecord,
  projectLockPath,
  readProject,
  writeProject,
} from "../system/projects.ts";
import { leftBehind, movedText } from "./left-behind.ts";
import { boundName, formerNames, type Here, isBoundTo, nameOfRoot, projectsHere } from "./roots.ts";

/** Which project a command means, and what binds a project to its root. */

/**
 * The project that a configuration here was applied as last, by the records alone: nothing is evaluated. A failure where
 * there is a configuration that is not safe to use: no other project is meant then.
 */
export async function currentProject(search: Search, state: string): Promise<Result<string | undefined>> {
  const root = await discover({ ...search, nameOf: (typed) => nameOfRoot(state, typed) });
  if (!root.ok) return root.unsafe ? root : project(undefined);
  return project(projectsHere(state, hereOf(root.value))[0]?.project);
}

/** The root here, if it is safe to use, and the project that it was applied as last. Evaluates nothing. */
export async function rootHere(
  search: Search,
  state: string,
): Promise<{ readonly root?: string; readonly project?: string }> {
  const root = await discover({ ...search, nameOf: (typed) => nameOfRoot(state, typed) });
  if (!root.ok) return {};
  const found = projectsHere(state, hereOf(root.value))[0]?.project;
  return { root: root.value.path, ...(found === undefined ? {} : { project: found }) };
}

const hereOf = ({ path, config, folder }: Root): Here => ({ root: path, config, place: folder });

const project = (value: string | undefined): Result<string | undefined> => ({
  ok: true,
  value,
  warnings: [],
});

/** Both paths when the project's name is bound to another root than this one. */
export function boundElsewhere(
  state: string,
  project: string,
  here: Here,
): { bound: string; here: string; isGone: boolean } | undefined {
  const record = readProject(state, project);
  if (record === undefined || isBoundTo(record, here)) return undefined;
  const bound = record.place === undefined ? record.root : boundName(record);
  return { bound, here: boundName(here), isGone: isGone(bound) };
}

interface Placed {
  readonly desired: { readonly project: string };
  readonly here: Here;
}

const TAKE_ALONG =
  "Go on here with `xy apply --adopt-project`; `xy plan --adopt-project` shows what that changes.";

/** Why the configuration here cannot be used: its project's name belongs to another root. */
export function rootRefusal(
  state: string,
  { desired: { project }, here }: Placed,
  { adopts = false }: { readonly adopts?: boolean },
): string | undefined {
  const other = adopts ? undefined : boundElsewhere(state, project, here);
  if (other === undefined) return undefined;
  const { bound, isGone } = other;
  const moved = movedText(state, project, here);
  if (moved !== undefined) return `cannot use project ${project} here yet: ${moved}. ${TAKE_ALONG}`;
  if (isGone)
    return (
      `cannot use project ${project} here yet: it belongs to ${bound}, which is gone, and this is ${other.here}. If it was moved, ` +
      "look at `xy plan --adopt-project`, then move it with `xy apply --adopt-project`; else give this one a `project` name of its own."
    );
  return (
    `cannot use project ${project} here: it belongs to ${bound}, and this is ${other.here}. ` +
    "Give this one a `project` name of its own, or move the project here with `xy apply --adopt-project`."
  );
}

/**
 * The projects that this configuration was applied as before, by other names, and that move to this one. A text says why
 * they cannot.
 */
export function projectsToMove(
  state: string,
  { desired, here }: Placed,
  {
    only,
    except,
    adopts = false,
  }: {
    readonly adopts?: boolean;
    readonly only?: readonly string[] | undefined;
    readonly except?: readonly string[] | undefined;
  },
): string[] | string {
  if (!adopts) return [];
  const found = leftBehind(state, desired.project, here).map(({ project }) => project);
  const isPartial = (only ?? []).length > 0 || (except ?? []).length > 0;
  if (found.length > 0 && isPartial)
    return `project ${found[0]} moves whole, with all its servers: leave --only and --except out`;
  return found;
}

type Locked = { readonly ok: true; readonly lock: Lock } | { readonly ok: false; readonly by: ProcessId };

/** Takes the lock that an apply holds from its first look at what runs to its last change. */
export function lockProject(state: string, project: string): Locked {
  const attempt = tryLock(projectLockPath(state, project));
  return attempt.held ? { ok: true, lock: attempt.lock } : { ok: false, by: attempt.by };
}

/**
 * Binds the project to its root, and keeps the ports that its servers were given. `now`: Unix ms. `host`: absent, the name
 * is kept too.
 */
export function bindProject(
  state: string,
  project: string,
  { root, config, place }: Here,
  {
    ports,
    host,
    now,
    adopts,
  }: Pick<ProjectRecord, "ports"> & {
    readonly host?: string | null | undefined;
    readonly now: number;
    readonly adopts?: boolean;
  },
): void {
  const before = readProject(state, project);
  const here = { root, config, place };
  const former = formerNames(before, here, adopts);
  const folder = folderId(place);
  const name = host === undefined ? before?.host : host;
  // A port that is chosen now is no longer to be chosen again.
  const reset = (before?.reset ?? []).filter((one) => !Object.hasOwn(ports, one));
  writeProject(state, project, {
    ...here,
    ...(folder && { folder }),
    ...(former.length > 0 ? { former } : {}),
    at: now,
    ports: { ...before?.ports, ...ports },
    asked: true,
    ...(reset.length > 0 ? { reset } : {}),
    ...(typeof name === "string" && { host: name }),
  });
}

/** Makes the next plan and apply choose a new port for a server. False: no port was ever chosen for it. */
export function resetPort(state: string, project: string, server: string): boolean {
  const record = readProject(state, project);
  if (record === undefined || !Object.hasOwn(record.ports, server)) return false;
  const reset = [...new Set([...(record.reset ?? []), server])];
  writeProject(state, project, { ...record, reset });
  return true;
}

/** Forgets a project that has no server left. */
export function forgetProject(state: string, project: string): void {
  rmSync(projectDir(state, project), { recursive: true, force: true });
}
