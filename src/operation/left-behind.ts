import { basename } from "node:path";
import { folderId, hasActions, isConfigFile, isGone, recordedBackends } from "../system/projects.ts";
import { boundName, type Here, projectsHere, records } from "./roots.ts";

/** Projects that the configuration here was applied as before: by another name, or at another place. */

/** What is left of such a project. */
export interface LeftBehind {
  readonly project: string;
  /** Servers that are on record. */
  readonly servers: readonly string[];
  /** Where its root was, if that was moved or renamed and is here now. */
  readonly movedFrom?: string;
}

/** Those of another name than this that still have something on record. */
export function leftBehind(state: string, project: string, here: Here): LeftBehind[] {
  const renamed = projectsHere(state, here).map((one) => ({ project: one.project }));
  return [...renamed, ...movedHere(state, here)].flatMap((one) => {
    if (one.project === project) return [];
    const servers = serversOf(state, one.project);
    return servers.length > 0 || hasActions(state, one.project) ? [{ ...one, servers }] : [];
  });
}

/**
 * The projects whose root is gone, and is what is here now: the folder is the same one, not a copy or another clone.
 */
export function movedHere(state: string, here: Here): { project: string; movedFrom: string }[] {
  const now = folderId(here.place);
  const known = new Set(projectsHere(state, here).map(({ project }) => project));
  return records(state).flatMap(({ project, record }) => {
    const movedFrom = boundName(record);
    if (known.has(project) || !isGone(movedFrom) || !isSameFile(record.config, here.config)) return [];
    const { inode, born } = record.folder ?? {};
    return inode !== undefined && inode === now?.inode && born === now.born ? [{ project, movedFrom }] : [];
  });
}

/** A folder has one configuration, but for files that are one each. */
const isSameFile = (before: string, now: string) =>
  (!isConfigFile(before) && !isConfigFile(now)) || basename(before) === basename(now);

const serversOf = (state: string, project: string) => [
  ...new Set(recordedBackends(state, project).map(({ name }) => name)),
];

/** Says so, with the ways out. `moves`: this apply removes it. */
export function leftBehindText(
  { project, servers, movedFrom }: LeftBehind,
  { moves, to }: { readonly moves: boolean; readonly to: string },
): string {
  const what = countText(servers);
  const verb = servers.length === 1 ? "is" : "are";
  if (moves)
    return `project ${project} moves here: ${what} ${verb} removed there first, with logs and jobs, and started here as declared, or as \`xy run --keep\` added them`;
  if (movedFrom !== undefined)
    return (
      `this ${isConfigFile(movedFrom) ? "file" : "folder"} was ${movedFrom} when it was applied as project ${project}, and ${what} ${verb} still there; ` +
      `to keep everything as it is, write \`project "${project}"\` into the configuration and run \`xy apply --adopt-project\`; without that line, this moves everything to project ${to} and restarts it`
    );
  return `this configuration was applied as project ${project} before, and ${what} ${verb} still there; move everything to the new name with \`xy apply --adopt-project\`, or remove what is left with \`xy destroy --project ${project}\``;
}

function countText(servers: readonly string[]): string {
  if (servers.length === 0) return "its actions";
  const count = servers.length === 1 ? "server" : `${servers.length} servers`;
  return `its ${count} (${servers.join(", ")})`;
}

/** Says of a project that keeps its name where its root was, and how to go on. Undefined: its root was not moved here. */
export function movedText(state: string, project: string, here: Here): string | undefined {
  const moved = movedHere(state, here).find((one) => one.project === project);
  if (moved === undefined) return undefined;
  const { movedFrom } = moved;
  const servers = serversOf(state, project);
  const what = servers.length === 0 ? "" : `, and ${countText(servers)} started there`;
  return `this ${isConfigFile(movedFrom) ? "file" : "folder"} was ${movedFrom} when project ${project} was applied${what}`;
}
