import { acyclic, type Graph, reversed } from "../model/graph.ts";
import type { Change } from "../model/plan.ts";
import { dependencyGraph, joined, portGraph } from "./order.ts";

/** One change, and what it must wait for. */
export interface Task {
  readonly change: Change;
  /** Changes that must be over, successfully or not, before this one begins. */
  readonly after: readonly Change[];
  /** Those of them, or of an earlier phase, that must have succeeded. */
  readonly needs: readonly Change[];
}

/**
 * The changes of a plan in two phases, one after the other. First what stops (dependents before their dependencies), since
 * it frees ports; then what starts or changes (dependencies first, and a server that leaves a port before the one that
 * takes it; two that swap ports cannot be ordered, and go side by side). Changes with action `none` are left out.
 */
export function phases(changes: readonly Change[]): readonly [readonly Task[], readonly Task[]] {
  const ending = changes.filter(({ action }) => action === "remove" || action === "stop");
  const others = changes.filter((change) => change.action !== "none" && !ending.includes(change));
  const dependents = reversed(acyclic(dependencyGraph(ending)));
  const dependencies = acyclic(dependencyGraph(others));
  const order = joined(dependencies, portGraph(others));
  const first = ending.map((change) => ({ change, after: related(change, dependents, ending), needs: [] }));
  const second = others.map((change) => {
    const removal = ending.filter(({ server }) => server === change.server);
    const needs = [...removal, ...related(change, dependencies, others)];
    return { change, after: related(change, order, others), needs };
  });
  return [first, second];
}

function related({ server }: Change, graph: Graph, changes: readonly Change[]): Change[] {
  const names = graph.get(server) ?? [];
  return names.length === 0 ? [] : changes.filter((change) => names.includes(change.server));
}

/** Runs each task once the tasks before it are over, at most `limit` at a time. `run` must not reject. */
export function runInOrder(
  tasks: readonly Task[],
  limit: number,
  run: (task: Task) => Promise<void>,
): Promise<void> {
  const waiting = new Set(tasks);
  const over = new Set<Change>();
  let running = 0;
  return new Promise((resolve) => {
    const settle = (task: Task) => {
      running--;
      over.add(task.change);
      proceed();
    };
    const proceed = () => {
      for (const task of waiting) {
        if (running >= limit) return;
        if (!task.after.every((change) => over.has(change))) continue;
        waiting.delete(task);
        running++;
        void run(task).then(() => settle(task));
      }
      if (running === 0) resolve();
    };
    proceed();
  });
}
