import type { Diagnostic } from "../../model/diagnostic.ts";
import { nearest } from "../../model/nearest.ts";
import type { DeclaredServer } from "../declared.ts";
import { formatPlace, type KeyPath } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";

/** What is known of the project beyond the servers of this machine. */
export interface Surroundings {
  /** Servers whose `when` does not match this machine. */
  readonly elsewhere: ReadonlySet<string>;
  /** Servers whose files could not be read; undefined if there may be others that are not known. */
  readonly unread: ReadonlySet<string> | undefined;
}

/** What is wrong between servers: unknown names, ends that never come, cycles, ports in common. */
export function graphProblems(servers: readonly DeclaredServer[], around: Surroundings): Diagnostic[] {
  return [
    ...unknownDependencies(servers, around),
    ...endlessDependencies(servers),
    ...cycles(servers),
    ...portClashes(servers),
  ];
}

function dependencyName(dependency: DeclaredServer["input"]["dependsOn"][number]): string {
  return typeof dependency === "string" ? dependency : dependency.server;
}

function problem(server: DeclaredServer, path: KeyPath, message: string): Diagnostic {
  return { severity: "error", message, server: server.name, ...server.place(path) };
}

function unknownDependencies(
  servers: readonly DeclaredServer[],
  { elsewhere, unread }: Surroundings,
): Diagnostic[] {
  const names = new Set(servers.map((server) => server.name));
  let compared = 0;
  return servers.flatMap((server) =>
    server.input.dependsOn.flatMap((dependency, i) => {
      const name = dependencyName(dependency);
      if (names.has(name)) return [];
      const path = ["dependsOn", i];
      if (elsewhere.has(name)) {
        return [
          problem(
            server,
            path,
            `cannot depend on ${name}: its "when" does not match this machine; give ${server.name} the same "when"`,
          ),
        ];
      }
      if (unread === undefined || unread.has(name)) return [];
      compared += names.size;
      const guess = compared > MOST_COMPARED ? undefined : nearest(name, names);
      const wayOut = guess === undefined ? "declare it, or remove it here" : `did you mean "${guess}"?`;
      return [problem(server, path, `cannot depend on ${JSON.stringify(name)}: no such server; ${wayOut}`)];
    }),
  );
}

/** Dependencies on the end of what is started again whenever it ends. */
function endlessDependencies(servers: readonly DeclaredServer[]): Diagnostic[] {
  const restarting = new Set(
    servers.filter(({ input }) => input.restart.policy === "always").map(({ name }) => name),
  );
  return servers.flatMap((server) =>
    server.input.dependsOn.flatMap((dependency, i) => {
      const name = dependencyName(dependency);
      const condition = typeof dependency === "string" ? undefined : dependency.condition;
      if (condition !== "completed" || !restarting.has(name)) return [];
      const message = `cannot wait until ${name} has completed: its restart policy is "always", so it never does; use the policy "on-failure", or wait until it is "ready"`;
      return [problem(server, ["dependsOn", i], message)];
    }),
  );
}

/** Names that unknown ones are compared with, in all: a suggestion is not worth more. */
const MOST_COMPARED = 20_000;

/** Each cycle once, from its first server in name order. Depth first, without recursion: chains may be long. */
function cycles(servers: readonly DeclaredServer[]): Diagnostic[] {
  const byName = new Map(servers.map((server) => [server.name, server]));
  const done = new Set<string>();
  const problems: Diagnostic[] = [];
  for (const start of servers) {
    const trail: { server: DeclaredServer; next: number }[] = done.has(start.name)
      ? []
      : [{ server: start, next: 0 }];
    const depths = new Map(trail.map((step, i) => [step.server.name, i]));
    while (trail.length > 0) {
      const top = trail.at(-1) as { server: DeclaredServer; next: number };
      const dependency = top.server.input.dependsOn[top.next];
      if (dependency === undefined) {
        done.add(top.server.name);
        depths.delete(top.server.name);
        trail.pop();
        continue;
      }
      const name = dependencyName(dependency);
      const from = depths.get(name);
      const server = byName.get(name);
      if (from !== undefined && problems.length < ENOUGH_PROBLEMS)
        problems.push(
          cycleProblem(
            trail.slice(from).map((step) => step.server),
            top.next,
          ),
        );
      else if (from === undefined && server && !done.has(name)) {
        depths.set(name, trail.length);
        trail.push({ server, next: 0 });
      }
      top.next++;
    }
  }
  return problems;
}

/** Servers of a cycle that a message names. */
const MOST_NAMED = 20;

/** `last`: which of the last server's dependencies closes the cycle. */
function cycleProblem(cycle: readonly DeclaredServer[], last: number): Diagnostic {
  const names = cycle.map((server) => server.name);
  const server = cycle.at(-1) as DeclaredServer;
  const named = names.length <= MOST_NAMED ? names : [...names.slice(0, MOST_NAMED - 1), "…", names.at(-1)];
  const printed = [...named, names[0]].join(" -> ");
  return problem(
    server,
    ["dependsOn", last],
    `cannot start servers that wait for each other: ${printed}; remove one of these dependencies`,
  );
}

function portClashes(servers: readonly DeclaredServer[]): Diagnostic[] {
  const first = new Map<number, DeclaredServer>();
  return servers.flatMap((server) => {
    const { port } = server.input;
    if (typeof port !== "number") return [];
    const other = first.get(port);
    if (other === undefined) {
      first.set(port, server);
      return [];
    }
    const message = `cannot give port ${port} to ${server.name}: ${other.name} already uses it (${formatPlace(other.place(["port"]))}); choose another, or "auto"`;
    return [problem(server, ["port"], message)];
  });
}
