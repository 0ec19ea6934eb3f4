import { pathsOf } from "../system/paths.ts";
import { STATE_FOLDER, whyNotPrivate } from "../system/private-folder.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";

/** Most servers that a message names. */
const MOST_NAMED = 6;

/** The servers on record as one would type them, for a message: none where the records cannot be read. */
export function knownServers(env: NodeJS.ProcessEnv): string[] {
  try {
    const { state } = pathsOf(env);
    if (whyNotPrivate(state, STATE_FOLDER) !== undefined) return [];
    const projects = recordedProjects(state);
    const inFull = projects.length > 1;
    return projects.flatMap((project) =>
      recordedBackends(state, project).map(({ name }) => (inFull ? `${project}/${name}` : name)),
    );
  } catch {
    return [];
  }
}

/** `; there are api, db and 3 more`. Empty where there is none. */
export function amongText(servers: readonly string[]): string {
  const [first, second] = servers;
  if (first === undefined) return "";
  if (second === undefined) return `; there is ${first}`;
  const more = servers.length - MOST_NAMED;
  if (more > 0) return `; there are ${servers.slice(0, MOST_NAMED).join(", ")} and ${more} more`;
  return `; there are ${servers.slice(0, -1).join(", ")} and ${servers.at(-1)}`;
}
