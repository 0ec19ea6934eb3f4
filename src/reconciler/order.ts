import type { Change } from "../model/plan.ts";

/** Names by name: what each one needs. Names that are not keys are passed over. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * All keys, each after those that it needs, otherwise in the order given. A cycle does not stop it: the name by which
 * the cycle was entered comes last of it. Depth-first post-order (Tarjan 1976), with its own stack, so that a chain of
 * any length fits.
 */
export function dependencyOrder(graph: Graph): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  for (const root of graph.keys()) {
    const stack: { name: string; next: number }[] = [];
    const enter = (name: string) => {
      if (seen.has(name) || !graph.has(name)) return;
      seen.add(name);
      stack.push({ name, next: 0 });
    };
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const needed = graph.get(top.name)?.[top.next++];
      if (needed !== undefined) enter(needed);
      else order.push(stack.pop()?.name ?? top.name);
    }
  }
  return order;
}

/** The same graph with every edge turned round: who needs each name. */
export function reversed(graph: Graph): Graph {
  const turned = new Map<string, string[]>([...graph.keys()].map((name) => [name, []]));
  for (const [name, needed] of graph) for (const other of needed) turned.get(other)?.push(name);
  return turned;
}

/** The graph without the edges that would close a cycle: those that point forward in {@link dependencyOrder}. */
export function acyclic(graph: Graph): Graph {
  const rank = new Map(dependencyOrder(graph).map((name, i) => [name, i]));
  const backward = (from: string, to: string) => (rank.get(to) ?? Infinity) < (rank.get(from) ?? 0);
  return new Map([...graph].map(([name, needed]) => [name, needed.filter((other) => backward(name, other))]));
}

/**
 * Both graphs in one, without the edges of `wishes` that lie on a cycle of the whole. `firm` has no cycles of its own,
 * and neither has what comes out; of a cycle of wishes none is granted.
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
  // A set that grows while it is walked: whatever is added is visited too.
  for (const name of seen) for (const other of graph.get(name) ?? []) seen.add(other);
  return seen.has(to);
}

/** What the servers of some changes need of each other: as declared, or, for a removal, as last applied. */
export function dependencyGraph(changes: readonly Change[]): Graph {
  const names = new Set(changes.map(({ server }) => server));
  const needs = ({ desired, observed }: Change) =>
    (desired ?? observed?.spec)?.dependsOn.map((d) => d.server) ?? [];
  return new Map(changes.map((change) => [change.server, needs(change).filter((name) => names.has(name))]));
}

/** Whose port each server of some changes takes over: it is free once the other has changed. */
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
