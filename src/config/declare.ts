import type { z } from "zod";
import type { Diagnostic } from "../model/diagnostic.ts";
import { type FilledServer, serverInput } from "../model/server.ts";
import { PORT_CHOICES } from "../model/server-fields.ts";
import type { Candidate } from "./collect.ts";
import type { DeclaredServer } from "./declared.ts";
import { isMap } from "./keys.ts";
import { mergeServer, says } from "./merge.ts";
import { type KeyPath, placeOf, type Source, sourceFolder, toKebab } from "./place.ts";
import { type ServerProblem, serverProblems } from "./server-checks.ts";
import type { TemplateFacts } from "./templates.ts";

export interface DefaultsPart {
  readonly value: Readonly<Record<string, unknown>>;
  readonly source?: Source;
}

export interface Setting {
  readonly facts: Omit<TemplateFacts, "name" | "port">;
  /** The root's backend. */
  readonly backend: DeclaredServer["input"]["backend"];
  /** The root's `class` of servers under systemd. */
  readonly scope: "user" | "system";
  /** Whether a `when` matches this machine. */
  readonly here: (when: unknown) => boolean;
}

/** Puts a server together from its own place and the defaults. Without `server` it is not declared on this machine. */
export function declareServer(
  own: Candidate,
  defaults: DefaultsPart,
  setting: Setting,
): { server?: DeclaredServer; problems: Diagnostic[] } {
  const merged = mergeServer(defaults.value, own.value);
  if (!setting.here(merged.when)) return { problems: [] };
  const saidBy = (path: KeyPath): Source | undefined => {
    if (says(own.value, path)) return own.source;
    return defaults.source && says(defaults.value, path) ? defaults.source : undefined;
  };
  const place = (path: KeyPath) => {
    const source = saidBy(path);
    return source ? placeOf(source, path) : placeOf(own.source, []);
  };
  const { input, missing } = fill(merged);
  const isMeant = (key: string) => [own.source, defaults.source].some((source) => meansIn(source, key));
  const server: DeclaredServer = {
    name: own.name,
    input: { ...input, ...heldBy(input, setting) },
    place,
    folder: (path) => sourceFolder(saidBy(path) ?? own.source),
    isSaid: (path) => saidBy(path) !== undefined,
  };
  const keyOf = own.source.document.style === "kebab" ? toKebab : (key: string) => key;
  const problems: ServerProblem[] = [
    ...missing.filter((key) => !isMeant(key)).map((key) => ({ path: [], message: MISSING[key] })),
    ...serverProblems(input, { ...setting.facts, name: own.name }, keyOf),
  ];
  return {
    server,
    problems: problems.map(({ path, message, severity = "error" }) => ({
      severity,
      message,
      server: own.name,
      ...place(path),
    })),
  };
}

/** The command of a server whose own is missing or wrong, which is told where it is looked at. */
export const NO_COMMAND = "-";

/** Whether an unknown key there was meant for this one. */
function meansIn(source: Source | undefined, key: string): boolean {
  return source?.document.meant?.includes(JSON.stringify([...source.at, key])) ?? false;
}

/** What runs it. */
function heldBy(input: FilledServer, { backend: byDefault, scope }: Pick<Setting, "backend" | "scope">) {
  const backend = input.backend ?? byDefault;
  return { backend, class: input.class ?? (backend === "systemd" ? scope : "user") } as const;
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
  if (!isMap(actions) || broken.has(undefined)) return rest;
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
  if (broken.has("env") || !isMap(env)) return Object.fromEntries(fields);
  const variables = Object.entries(env).filter(([name]) => !refused.has(name));
  const sound = Object.fromEntries(variables.map(([name, value]) => [name, replaced.has(name) ? "" : value]));
  return { ...Object.fromEntries(fields), env: sound };
}
