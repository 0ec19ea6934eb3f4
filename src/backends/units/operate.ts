import { dependencyOrder } from "../../model/graph.ts";
import type { Known } from "./inventory.ts";
import { isActive, type Operated, type OperateOptions, Operation } from "./operation.ts";
import type { UnitBackend } from "./unit-backend.ts";

/** An operator's start, stop, restart and kill of servers that run as units. Each starts after what it depends on, and
 * stops before it. */

export type Verb = "start" | "stop" | "restart" | "kill";

export async function operate(
  backend: UnitBackend,
  verb: Verb,
  names: readonly string[],
  {
    deps = true,
    others = async () => undefined,
    signal = new AbortController().signal,
    wait = true,
  }: OperateOptions = {},
): Promise<Operated> {
  const all = await backend.known(backend.store.names());
  const isStart = verb === "start" || verb === "restart";
  const needed = isStart && deps ? withDependencies(names, all) : names;
  const ordered = dependencyOrder(graphOf(all)).filter((name) => needed.includes(name));
  const operation = new Operation(backend, { all, deps, others, signal, wait });
  try {
    return await carryOut(operation, verb, names, { all, ordered });
  } finally {
    operation.close();
  }
}

async function carryOut(
  operation: Operation,
  verb: Verb,
  names: readonly string[],
  { all, ordered }: { readonly all: ReadonlyMap<string, Known>; readonly ordered: readonly string[] },
): Promise<Operated> {
  if (verb === "restart") {
    // Stopped first, dependents before their dependencies, then started in the opposite order.
    const ran = names.filter((name) => isActive(all.get(name)?.live));
    if (names.length === 1 && ran.length === 1)
      await operation.each(names, (known) => operation.restart(known));
    else {
      await operation.each(
        ordered.toReversed().filter((name) => ran.includes(name)),
        (known) => operation.rest(known),
      );
      operation.forget();
      await operation.each(ordered, (known) => operation.start(known, !ran.includes(known.record.spec.name)));
    }
    await operation.judge();
    return operation.outcome(names, (name) => ran.includes(name));
  }
  const order = verb === "start" ? ordered : ordered.toReversed();
  await operation.each(order, (known) => operation[verb](known));
  await operation.judge();
  return operation.outcome(names, (name) => operation.done.get(name) === true);
}

function graphOf(all: ReadonlyMap<string, Known>): Map<string, readonly string[]> {
  return new Map(
    [...all].map(([name, { record }]) => [name, record.spec.dependsOn.map(({ server }) => server)]),
  );
}

/** With their dependencies, except those that are held or not wanted. */
function withDependencies(names: readonly string[], all: ReadonlyMap<string, Known>): string[] {
  const found = new Set(names);
  // The set grows while it is walked: what is added is visited too.
  for (const name of found) {
    for (const { server } of all.get(name)?.record.spec.dependsOn ?? []) {
      const needed = all.get(server)?.record;
      if (needed && needed.operator !== "stop" && needed.spec.wanted === "start") found.add(server);
    }
  }
  return [...found];
}
