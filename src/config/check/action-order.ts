import { actionKey } from "../../model/action.ts";
import { aboutAction, type Diagnostic } from "../../model/diagnostic.ts";
import { acyclic, type Graph } from "../../model/graph.ts";
import { nearest } from "../../model/nearest.ts";
import type { DeclaredAction } from "../declared.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import type { Surroundings } from "./graph.ts";

/** What actions come after others, by their keys. */

/** The names that an action says it comes after, each with what it means here. */
export function predecessorsOf(action: DeclaredAction, keys: ReadonlySet<string>): string[] {
  return [...new Set(writtenIn(action).map((name) => meantBy(name, action.server, keys)))];
}

/** Within a server a bare name is an action of that server first, and else one that stands alone. */
function meantBy(name: string, server: string | null, keys: ReadonlySet<string>): string {
  if (server === null || name.includes(":")) return name;
  const own = actionKey({ server, name });
  return keys.has(own) || !keys.has(name) ? own : name;
}

const writtenIn = ({ input: { after } }: DeclaredAction): string[] =>
  after === undefined ? [] : [after].flat();

export const keysOf = (actions: readonly DeclaredAction[]): ReadonlySet<string> =>
  new Set(actions.map((action) => actionKey(action)));

interface Written extends Surroundings {
  /** Whether some file has an action with this key, valid or not: its problems are reported there. */
  isWritten(key: string): boolean;
}

/** Unknown names, and cycles. */
export function orderProblems(actions: readonly DeclaredAction[], around: Written): Diagnostic[] {
  const keys = keysOf(actions);
  return [...unknownNames(actions, keys, around), ...cycles(actions, keys)].slice(0, ENOUGH_PROBLEMS);
}

function unknownNames(
  actions: readonly DeclaredAction[],
  keys: ReadonlySet<string>,
  { elsewhere, unread, isWritten }: Written,
): Diagnostic[] {
  return actions.flatMap((action) =>
    writtenIn(action).flatMap((name, i) => {
      const key = meantBy(name, action.server, keys);
      if (keys.has(key) || isWritten(key) || (name !== key && isWritten(name))) return [];
      const [server = "", own] = key.split(":");
      if (own !== undefined && (unread === undefined || unread.has(server))) return [];
      const why =
        own !== undefined && elsewhere.has(server)
          ? `the "when" of ${server} does not match this machine; remove it here, or give ${actionKey(action)} to a server with the same "when"`
          : unknownText(name, keys);
      return [problem(action, i, `cannot come after ${JSON.stringify(name)}: ${why}`)];
    }),
  );
}

function unknownText(name: string, keys: ReadonlySet<string>): string {
  const guess = keys.size > MOST_COMPARED ? undefined : nearest(name, keys);
  return `no such action; ${guess === undefined ? "write NAME or SERVER:NAME of a declared action" : `did you mean "${guess}"?`}`;
}

/** Names that an unknown one is compared with: a suggestion is not worth more. */
const MOST_COMPARED = 1000;

function cycles(actions: readonly DeclaredAction[], keys: ReadonlySet<string>): Diagnostic[] {
  const graph: Graph = new Map(actions.map((action) => [actionKey(action), predecessorsOf(action, keys)]));
  const without = acyclic(graph);
  return actions.flatMap((action) => {
    const key = actionKey(action);
    const kept = new Set(without.get(key));
    return writtenIn(action).flatMap((name, i) => {
      const needed = meantBy(name, action.server, keys);
      if (!keys.has(needed) || kept.has(needed)) return [];
      const way = [key, ...wayFrom(needed, key, graph)].join(" -> ");
      return [problem(action, i, `cannot run actions that wait for each other: ${way}; remove one of these`)];
    });
  });
}

/** The shortest way from one to another, both named; as much of it as is worth reading. */
function wayFrom(from: string, to: string, graph: Graph): string[] {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  // A map that grows while it is walked: whatever is added is visited too.
  for (const [one] of cameFrom) {
    if (one === to) break;
    for (const next of graph.get(one) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, one);
  }
  const way: string[] = [];
  for (let one: string | undefined = to; one !== undefined; one = cameFrom.get(one)) way.unshift(one);
  return way.length <= MOST_NAMED ? way : [...way.slice(0, MOST_NAMED - 2), "…", to];
}

const MOST_NAMED = 20;

function problem(action: DeclaredAction, i: number, message: string): Diagnostic {
  const path = Array.isArray(action.input.after) ? ["after", i] : ["after"];
  return { severity: "error", message, ...aboutAction(action), ...action.place(path) };
}
