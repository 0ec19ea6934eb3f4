import type { World } from "../config/resolve/world.ts";
import { own } from "../model/own.ts";
import { isOfServer } from "../system/holders.ts";
import { type Holder, holderOf } from "../system/listeners.ts";
import { readProject, recordedProjects } from "../system/projects.ts";

/**
 * Which ports the servers of a project were given on this machine, and which others have. `before`: projects whose ports
 * it takes over.
 */
export function portsHere(
  state: string,
  project: string,
  before: readonly string[] = [],
): Pick<World, "keptPort" | "portTaken"> {
  const portsOf = (one: string) => readProject(state, one)?.ports ?? {};
  const others = recordedProjects(state).filter((other) => other !== project && !before.includes(other));
  const kept: Readonly<Record<string, number>> = Object.assign({}, ...[...before, project].map(portsOf));
  const { reset = [] } = readProject(state, project) ?? {};
  const keptByOthers = new Set(others.flatMap((other) => Object.values(portsOf(other))));
  return {
    keptPort: (server) => (reset.includes(server) ? undefined : own(kept, server)),
    portTaken: async (port, server) =>
      keptByOthers.has(port) || isForeign(await holderOf(port), `${project}/${server}`, state),
  };
}

/** What a server listens on itself is free for it. */
const isForeign = (holder: Holder | undefined, server: string, state: string) =>
  holder !== undefined && !isOfServer(holder.pid, server, state);
