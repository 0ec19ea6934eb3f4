import { acyclic, dependencyOrder, type Graph, reversed } from "../../model/graph.ts";
import type { ServerSpec } from "../../model/spec.ts";

/** The order in which servers start and stop. A cycle, which separate applies can leave behind, stops neither. */

interface Server {
  readonly spec: Pick<ServerSpec, "project" | "name" | "dependsOn">;
}

/** A server among those of all projects. */
export const keyOf = (project: string, name: string) => `${project}/${name}`;

function graphOf(servers: readonly Server[]): Graph {
  return new Map(
    servers.map(({ spec: { project, name, dependsOn } }) => [
      keyOf(project, name),
      dependsOn.map((dependency) => keyOf(project, dependency.server)),
    ]),
  );
}

function byKey<S extends Server>(servers: readonly S[]): Map<string, S> {
  return new Map(servers.map((server) => [keyOf(server.spec.project, server.spec.name), server]));
}

/** The servers, each after those of them that it depends on. */
export function dependenciesFirst<S extends Server>(servers: readonly S[]): S[] {
  const found = byKey(servers);
  return dependencyOrder(graphOf(servers)).flatMap((key) => found.get(key) ?? []);
}

/** Acts on each server once the act on all of them that depend on it is over, well or not; else side by side. */
export function dependentsFirst<S extends Server, T>(
  servers: readonly S[],
  act: (server: S) => Promise<T>,
): Map<S, Promise<T>> {
  const found = byKey(servers);
  const dependents = reversed(acyclic(graphOf(servers)));
  const acts = new Map<string, Promise<T>>();
  const begun = new Map<S, Promise<T>>();
  for (const key of dependencyOrder(dependents)) {
    const server = found.get(key);
    if (!server) continue;
    const before = (dependents.get(key) ?? []).map((other) => acts.get(other));
    const own = Promise.allSettled(before).then(() => act(server));
    acts.set(key, own);
    begun.set(server, own);
  }
  return begun;
}
