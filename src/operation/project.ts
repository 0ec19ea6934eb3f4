import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { discover, type Search } from "../config/discover.ts";
import type { Result } from "../model/diagnostic.ts";
import type { ProcessId } from "../model/process.ts";
import { type Lock, tryLock } from "../system/lock.ts";
import { projectDir } from "../system/paths.ts";
import {
  isGone,
  isSamePath,
  type ProjectRecord,
  projectLockPath,
  readProject,
  recordedProjects,
  writeProject,
} from "../system/projects.ts";

/** Which project a command means, and what binds a project to its root. */

/**
 * The project that a configuration here was applied as, by the records alone: nothing is evaluated. Several files in
 * one folder may be a project each: then the one that was named counts, and without a name nobody can tell. A failure
 * where there is a configuration that is not safe to use: no other project is meant then.
 */
export async function currentProject(search: Search, state: string): Promise<Result<string | undefined>> {
  const root = await discover(search);
  if (!root.ok) return root.unsafe ? root : project(undefined);
  const { folder } = root.value;
  const here = recordedProjects(state).flatMap((project) => {
    const record = readProject(state, project);
    return record?.root === folder ? [{ project, config: record.config }] : [];
  });
  const named = search.explicit === undefined ? folder : resolve(search.cwd, search.explicit.path);
  const exact = here.filter(({ config }) => isSamePath(config, named));
  const found = exact.length > 0 ? exact : here;
  return project(found.length === 1 ? found[0]?.project : undefined);
}

const project = (value: string | undefined): Result<string | undefined> => ({
  ok: true,
  value,
  warnings: [],
});

/** Both paths when the project's name is bound to another root than this one. */
export function boundElsewhere(
  state: string,
  project: string,
  root: string,
): { bound: string; here: string; isGone: boolean } | undefined {
  const bound = readProject(state, project)?.root;
  if (bound === undefined || isSamePath(bound, root)) return undefined;
  return { bound, here: root, isGone: isGone(bound) };
}

export type Locked =
  | { readonly ok: true; readonly lock: Lock }
  | { readonly ok: false; readonly by: ProcessId };

/** The lock that an apply holds from its first look at what runs to its last change. */
export function lockProject(state: string, project: string): Locked {
  const attempt = tryLock(projectLockPath(state, project));
  return attempt.held ? { ok: true, lock: attempt.lock } : { ok: false, by: attempt.by };
}

/** Binds the project to its root, and keeps the ports that its servers were given. */
export function bindProject(state: string, project: string, record: ProjectRecord): void {
  const { ports: kept = {}, reset = [] } = readProject(state, project) ?? {};
  // What is chosen now was chosen anew.
  const rest = reset.filter((name) => !Object.hasOwn(record.ports, name));
  const ports = { ...kept, ...record.ports };
  writeProject(state, project, { ...record, ports, ...(rest.length > 0 ? { reset: rest } : {}) });
}

/** Has the next plan, and the next apply, choose the port of a server anew. False: none was ever chosen for it. */
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
