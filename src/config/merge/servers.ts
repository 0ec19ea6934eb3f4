import type { z } from "zod";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { isObject } from "../../model/object.ts";
import { PORT_CHOICES } from "../../model/process-fields.ts";
import { type FilledServer, serverInput } from "../../model/server.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { problemAt } from "../check/keys.ts";
import { type ServerProblem, serverProblems } from "../check/server-checks.ts";
import type { TemplateFacts } from "../check/templates.ts";
import type { Candidate } from "../collect.ts";
import type { Declared, DeclaredServer } from "../declared.ts";
import { formatPlace, type KeyPath, placeOf, type Source, sourceFolder, toKebab } from "../place.ts";
import { blocksFor, merged, saidBy } from "./layers.ts";
import type { Scope } from "./scope.ts";
import { asWhen, elsewhereText, type Matched, matches, type Whens } from "./when.ts";

interface ServerContext {
  readonly facts: Omit<TemplateFacts, "name" | "port">;
  readonly scope: Scope;
  readonly machine: Matched;
}

interface Outcome {
  /** Absent where it is not declared on this machine. */
  readonly server?: DeclaredServer;
  /** The conditions that it is declared under. */
  readonly whens: Whens;
  readonly problems: readonly Diagnostic[];
}

/** Puts a server together from the defaults, its own place, and its blocks for this machine. */
function mergeServer(own: Candidate, { facts, scope, machine }: ServerContext): Outcome {
  const { when, on: _, ...said } = own.value;
  const layers = [...scope.defaults, { ...own, value: { ...said, ...withoutUndefined({ when }) } }];
  const whens = [...scope.whens, asWhen(merged(layers).when)];
  if (!whens.every((one) => matches(one, machine))) return { whens, problems: [] };
  const all = [...layers, ...blocksFor(own, machine)];
  const source = (path: KeyPath) => saidBy(all, path);
  const place = (path: KeyPath) => {
    const said = source(path);
    return said ? placeOf(said, path) : placeOf(own.source, []);
  };
  const { input, missing } = fill(merged(all));
  const isMeant = (key: string) => all.some((layer) => meansIn(layer.source, key));
  const server: DeclaredServer = {
    name: own.name,
    input: { ...input, ...heldBy(input, scope) },
    place,
    folder: (path) => sourceFolder(source(path) ?? own.source),
    isSaid: (path) => source(path) !== undefined,
  };
  const keyOf = own.source.document.style === "kebab" ? toKebab : (key: string) => key;
  const problems: ServerProblem[] = [
    ...missing.filter((key) => !isMeant(key)).map((key) => ({ path: [], message: MISSING[key] })),
    ...serverProblems(input, { ...facts, name: own.name }, keyOf),
  ];
  return {
    server,
    whens,
    problems: problems.map(({ path, message, severity = "error" }) => ({
      severity,
      message,
      server: own.name,
      ...place(path),
    })),
  };
}

/** The servers of this machine. */
interface MergedServers extends Pick<Declared, "servers" | "elsewhere" | "elsewhereBecause"> {
  readonly problems: readonly Diagnostic[];
}

/**
 * Servers may be declared in several places under one name; this takes the one that applies to this machine. If two
 * apply, or no machine can tell them apart, the second gets a problem. `candidates`: in name order.
 */
export function mergeServers(
  candidates: readonly Candidate[],
  contextOf: (own: Candidate) => ServerContext,
): MergedServers {
  const servers: DeclaredServer[] = [];
  const elsewhere: [name: string, why: string][] = [];
  const problems: Diagnostic[] = [];
  for (let from = 0, to = 0; from < candidates.length; from = to) {
    const { name } = candidates[from] as Candidate;
    const first = new Map<string, Candidate>();
    const whens: Whens[] = [];
    let kept: Candidate | undefined;
    for (; candidates[to]?.name === name; to++) {
      const own = candidates[to] as Candidate;
      const context = contextOf(own);
      const outcome = mergeServer(own, context);
      const key = JSON.stringify(outcome.whens);
      const other = (outcome.server && kept) ?? first.get(key);
      if (other) problems.push(twice(own, other, outcome.whens));
      else problems.push(...outcome.problems);
      first.set(key, first.get(key) ?? own);
      whens.push(outcome.whens);
      if (outcome.server === undefined || kept) continue;
      kept = own;
      servers.push(outcome.server);
    }
    const { machine } = contextOf(candidates[from] as Candidate);
    if (!kept) elsewhere.push([name, elsewhereText(whens, machine)]);
  }
  return {
    servers,
    elsewhere: elsewhere.map(([name]) => name),
    elsewhereBecause: Object.fromEntries(elsewhere),
    problems,
  };
}

function twice(own: Candidate, other: Candidate, whens: Whens): Diagnostic {
  const place = formatPlace(placeOf(other.source, []));
  const hasConditions = whens.some((when) => Object.keys(when ?? {}).length > 0);
  const message = hasConditions
    ? `cannot declare the server ${own.name} twice for one machine: it is already declared at ${place}; give each a "when" that excludes the other's machines, or keep one of them`
    : `cannot declare the server ${own.name} twice: it is already declared at ${place}; keep one of them`;
  return { ...problemAt(placeOf(own.source, []), message), server: own.name };
}

/** Stands in for a command that is missing or wrong; that is reported where the file is checked. */
export const NO_COMMAND = "-";

/** Whether an unknown key there was meant for this one. */
function meansIn(source: Source | undefined, key: string): boolean {
  return source?.document.meant?.includes(JSON.stringify([...source.at, key])) ?? false;
}

/** What runs it. */
function heldBy(input: FilledServer, scope: Pick<Scope, "backend" | "systemd">) {
  const backend = input.backend ?? scope.backend;
  return { backend, class: input.class ?? (backend === "systemd" ? scope.systemd : "user") } as const;
}

const MISSING = {
  command: "cannot leave out command: write the program to run",
  port: `cannot leave out port: ${PORT_CHOICES}`,
};

/**
 * Fills in the defaults. A part of the wrong form is reported where its file is looked at; it counts as absent
 * here, so that the rest of the server is looked at too. The result is then never used for anything else.
 */
function fill(merged: Record<string, unknown>): { input: FilledServer; missing: (keyof typeof MISSING)[] } {
  const missing = (["command", "port"] as const).filter((key) => !Object.hasOwn(merged, key));
  const result = serverInput.safeParse(merged);
  if (result.success) return { input: result.data, missing };
  // A port of its own for every such server, so that none clashes with another.
  const sound = { command: NO_COMMAND, port: "auto", ...withoutBroken(merged, result.error.issues) };
  return { input: serverInput.parse(sound), missing };
}

function withoutBroken(
  merged: Readonly<Record<string, unknown>>,
  issues: readonly z.core.$ZodIssue[],
): object {
  const { actions, ...fields } = merged;
  const inActions = (issue: z.core.$ZodIssue) => issue.path[0] === "actions";
  const rest = withoutBrokenFields(
    fields,
    issues.filter((issue) => !inActions(issue)),
  );
  const broken = new Set(issues.filter(inActions).map((issue) => issue.path[1]));
  if (!isObject(actions) || broken.has(undefined)) return rest;
  const sound = Object.entries(actions).filter(([name]) => !broken.has(name));
  return { ...rest, actions: Object.fromEntries(sound) };
}

function withoutBrokenFields(
  merged: Readonly<Record<string, unknown>>,
  issues: readonly z.core.$ZodIssue[],
): object {
  const { env } = merged;
  // A variable that is there, whatever its value, can be named by a template.
  const inEnv = (issue: z.core.$ZodIssue) => issue.path[0] === "env" && issue.path.length > 1;
  const refused = new Set(
    issues
      .filter(inEnv)
      .filter((issue) => issue.code === "invalid_key")
      .map((issue) => issue.path[1]),
  );
  const replaced = new Set(issues.filter(inEnv).map((issue) => issue.path[1]));
  const broken = new Set(issues.filter((issue) => !inEnv(issue)).map((issue) => issue.path[0]));
  const fields = Object.entries(merged).filter(([key, value]) => !broken.has(key) && value !== undefined);
  if (broken.has("env") || !isObject(env)) return Object.fromEntries(fields);
  const variables = Object.entries(env).filter(([name]) => !refused.has(name));
  const sound = Object.fromEntries(variables.map(([name, value]) => [name, replaced.has(name) ? "" : value]));
  return { ...Object.fromEntries(fields), env: sound };
}
