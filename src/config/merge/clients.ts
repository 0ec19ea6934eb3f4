import { CLIENT_SCOPES, type ClientName, type Scope } from "../../model/clients.ts";
import { type ClientInput, clientsInput } from "../../model/clients-input.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { nearest } from "../../model/nearest.ts";
import { isObject } from "../../model/object.ts";
import { isPattern, selector } from "../../model/selector.ts";
import type { Surroundings } from "../check/graph.ts";
import { problemAt } from "../check/keys.ts";
import type { DeclaredClient, DeclaredServer } from "../declared.ts";
import { formatPlace, type KeyPath, placeOf } from "../place.ts";
import type { Scope as FileScope } from "./scope.ts";

interface Merged {
  /** In name order. */
  readonly clients: readonly DeclaredClient[];
  readonly problems: readonly Diagnostic[];
}

/** Reads the clients of a project's files. The schema reports values of the wrong form; they are left out here. */
export function mergeClients(
  scopes: readonly Pick<FileScope, "settings" | "saidBy">[],
  servers: readonly DeclaredServer[],
  around: Surroundings,
): Merged {
  const clients = new Map<ClientName, DeclaredClient & { readonly at: Diagnostic }>();
  const problems: Diagnostic[] = [];
  for (const { settings, saidBy } of scopes) {
    for (const [name, input] of clientsIn(settings.clients)) {
      const place = (path: KeyPath) => {
        const whole = ["clients", name, ...path];
        const said = saidBy(whole) ?? saidBy(["clients", name]);
        return said ? placeOf(said, whole) : {};
      };
      const other = clients.get(name);
      const at = problemAt(place([]), "");
      if (other) {
        const message = `cannot set up ${name} twice: it is already set up at ${formatPlace(other.at)}; keep one of them`;
        problems.push({ ...at, message });
        continue;
      }
      const { scope, problem } = scopeOf(name, input);
      if (problem !== undefined) problems.push(problemAt(place(["scope"]), problem));
      problems.push(...chosenProblems(name, input, { servers, around, place }));
      const { prefix = "" } = input;
      const chosen = servers.filter((server) => isChosen(server, input) && hasEntry(server));
      clients.set(name, { client: name, scope, prefix, servers: chosen.map((server) => server.name), at });
    }
  }
  const byName = [...clients.values()].sort((a, b) => (a.client < b.client ? -1 : 1));
  return { clients: byName.map(({ at: _, ...client }) => client), problems };
}

function clientsIn(written: unknown): [ClientName, ClientInput][] {
  if (!isObject(written)) return [];
  return Object.entries(written).flatMap(([name, value]) => {
    const read = clientsInput.safeParse({ [name]: value });
    const input = read.success ? read.data[name] : undefined;
    if (input === undefined || input === false) return [];
    return [[name as ClientName, input === true ? {} : input]];
  });
}

function scopeOf(name: ClientName, { scope }: ClientInput): { scope: Scope; problem?: string } {
  const known: readonly [Scope, ...Scope[]] = CLIENT_SCOPES[name];
  if (scope === undefined || known.includes(scope)) return { scope: scope ?? known[0] };
  return {
    scope: known[0],
    problem: `cannot use "${scope}" for the scope of ${name}: it has no file for that; write "${known[0]}", or leave scope out`,
  };
}

/** With a port, then, or it is refused elsewhere. */
const hasEntry = ({ input }: DeclaredServer): boolean => input.mcp !== undefined;

function isChosen(server: DeclaredServer, { only, except }: ClientInput): boolean {
  return (only === undefined || names(only, server)) && !(except !== undefined && names(except, server));
}

const names = (words: string | readonly string[], { name, input }: DeclaredServer): boolean =>
  [words].flat().some((word) => selector(word)({ name, tags: input.tags }));

interface Around {
  readonly servers: readonly DeclaredServer[];
  readonly around: Surroundings;
  readonly place: (path: KeyPath) => Pick<Diagnostic, "file" | "line" | "column" | "path">;
}

/** Words of `only` and `except` that choose nothing, which is hardly what was meant. */
function chosenProblems(
  client: string,
  input: ClientInput,
  { servers, around, place }: Around,
): Diagnostic[] {
  return (["only", "except"] as const).flatMap((key) => {
    const words: string | readonly string[] | undefined = input[key];
    if (words === undefined) return [];
    return [words].flat().flatMap((word, i): Diagnostic[] => {
      const at = place(typeof words === "string" ? [key] : [key, i]);
      if (isPattern(word)) {
        const all = servers.map(({ name, input: { tags } }) => ({ name, tags }));
        if (all.some(selector(word)) || around.elsewhere.size > 0 || around.unread === undefined) return [];
        const message = word.startsWith("tag:")
          ? `no server has the tag ${JSON.stringify(word.slice("tag:".length))}, which ${key} of ${client} names`
          : `no server has a name such as ${JSON.stringify(word)}, which ${key} of ${client} names`;
        return [{ ...problemAt(at, message), severity: "warning" }];
      }
      const server = servers.find(({ name }) => name === word);
      if (server) return key === "only" && !hasEntry(server) ? [problemAt(at, noEntry(word, client))] : [];
      if (around.elsewhere.has(word) || around.unread === undefined || around.unread.has(word)) return [];
      const guess = nearest(
        word,
        servers.map(({ name }) => name),
      );
      const wayOut = guess === undefined ? "declare it, or remove it here" : `did you mean "${guess}"?`;
      return [
        problemAt(at, `cannot choose ${JSON.stringify(word)} for ${client}: no such server; ${wayOut}`),
      ];
    });
  });
}

const noEntry = (server: string, client: string): string =>
  `cannot write ${server} into a file of ${client}: it has no mcp block; add "mcp" to it, or remove it here`;
