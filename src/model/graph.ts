/** What each name needs, by name. Names that are not keys are ignored. */
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

/** The same graph with every edge reversed: who needs each name. */
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
