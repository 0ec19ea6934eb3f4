import type { Graph } from "../model/graph.ts";
import type { Change } from "../model/plan.ts";

/**
 * Both graphs in one, without those edges of `wishes` that lie on a cycle of the whole. `firm` has no cycles, and neither
 * has the result; none of the wishes on a cycle is granted.
 */
export function joined(firm: Graph, wishes: Graph): Graph {
  const wished = (name: string) => wishes.get(name) ?? [];
  const both = new Map([...firm].map(([name, needed]) => [name, [...needed, ...wished(name)]]));
  return new Map(
    [...firm].map(([name, needed]) => [
      name,
      [...needed, ...wished(name).filter((other) => !reaches(both, other, name))],
    ]),
  );
}

function reaches(graph: Graph, from: string, to: string): boolean {
  const seen = new Set([from]);
  // The set grows while it is walked: what is added is visited too.
  for (const name of seen) for (const other of graph.get(name) ?? []) seen.add(other);
  return seen.has(to);
}

/** What the servers of these changes need from each other: as declared, or for a removal as last applied. */
export function dependencyGraph(changes: readonly Change[]): Graph {
  const names = new Set(changes.map(({ server }) => server));
  const needs = ({ desired, observed }: Change) =>
    (desired ?? observed?.spec)?.dependsOn.map((d) => d.server) ?? [];
  return new Map(changes.map((change) => [change.server, needs(change).filter((name) => names.has(name))]));
}

/** Whose port each of these servers takes over: it is free once the other has changed. */
export function portGraph(changes: readonly Change[]): Graph {
  const leaves = (other: Change, port: number) =>
    other.observed?.spec?.port === port && other.desired?.port !== port;
  return new Map(
    changes.map(({ server, desired }) => {
      const port = desired?.port ?? null;
      const before = port === null ? [] : changes.filter((other) => leaves(other, port));
      return [server, before.map((other) => other.server)];
    }),
  );
}
