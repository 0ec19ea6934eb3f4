import { realpath } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { accountEnv } from "../model/given-env.ts";
import type { Machine } from "../model/machine.ts";
import { DEFAULT_PROJECT, fitName, NAME_PATTERN } from "../model/name.ts";
import { isObject } from "../model/object.ts";
import type { Power } from "../model/power.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { orderProblems } from "./check/action-order.ts";
import { actionProblems, scheduleProblems, serverActions, standaloneActions } from "./check/actions.ts";
import { graphProblems } from "./check/graph.ts";
import { patternProblems } from "./check/patterns.ts";
import { isOfProbe, probesOf, refusals } from "./check/powers.ts";
import { type Collected, collect } from "./collect.ts";
import type { Declared } from "./declared.ts";
import { discover, ownerOf, type Root, type Search, userFolder } from "./find/discover.ts";
import type { IncludeContext } from "./find/include.ts";
import type { RootFile } from "./find/root-file.ts";
import { mergeBackends } from "./merge/backends.ts";
import { mergeClients } from "./merge/clients.ts";
import { scopeOf } from "./merge/scope.ts";
import { mergeServers } from "./merge/servers.ts";
import { matches } from "./merge/when.ts";
import { expandPath } from "./paths.ts";
import { type KeyPath, sourceFolder } from "./place.ts";
import { firstOfEach } from "./problems.ts";
import type { EvaluationOptions } from "./read/typescript.ts";
import { folderThere } from "./resolve/elsewhere.ts";

export interface LoadRequest extends Search {
  readonly machine: Machine;
  /** What the configuration is evaluated for, when that is another machine. */
  readonly target?: Machine;
  /** Whether a root other than the account's own may execute and send what it lists. Asked once, before anything happens. */
  readonly agree: (root: Root, powers: readonly Power[]) => Promise<boolean>;
  /** Under which of these names the project here was applied: it keeps that name. Absent: none. */
  readonly appliedAs?: (root: Root, names: readonly string[]) => string | undefined;
  /** Stops the reading: at once for a program or a long text, otherwise before the next file. */
  readonly signal: AbortSignal;
  /** Gets what a program prints; meant for stderr. */
  readonly print: (text: string) => void;
  readonly pause: EvaluationOptions["pause"];
  /** A folder that nobody else can write to, for compiled programs. Without one, none are kept. */
  readonly translations?: () => string | undefined;
}

export type Loaded = Result<Declared> & {
  /** A person has to agree to what the configuration can execute and send, and nobody did. */
  readonly refused?: true;
  /** There is none. */
  readonly missing?: true;
  /** What could be read of an invalid configuration: only for finding more problems. */
  readonly sound?: Declared;
};

/** Reads a configuration root. Every problem of every file is reported in one pass, by file and line. */
export async function load(request: LoadRequest): Promise<Loaded> {
  const found = await discover(request);
  if (!found.ok) return found;
  const root = found.value;
  const isOwn = root.folder === (await realpath(userFolder(request)).catch(() => undefined));
  let answer: Promise<boolean> | undefined;
  const agree = (powers: readonly Power[]) => {
    // Nobody but the account's owner puts anything into its own root.
    answer ??= isOwn ? Promise.resolve(true) : request.agree(root, powers);
    return answer;
  };
  const failed = (problems: readonly Diagnostic[]) =>
    ({ ok: false, problems: firstOfEach(sorted(problems)) }) as const;
  const collected = await collect(root, evaluationOf(request), aroundOf(request), agree);
  const read = [...root.diagnostics, ...collected.problems];
  if (request.signal.aborted && !collected.complete) return failed(read);
  const { declared, problems } = assemble(root, collected, request, isOwn);
  const late = [...(await scheduleProblems(declared.actions)), ...(await patternProblems(declared.servers))];
  const all = [...read, ...problems, ...late];
  // The powers are listed in full, because a person has to read them.
  const refused = (powers: readonly Power[]): Loaded => {
    const told = failed(all).problems;
    return { ok: false, problems: sorted([...told, ...refusals(powers)]), refused: true };
  };
  if (answer !== undefined && !(await answer)) return refused(collected.powers);
  if (all.some(({ severity }) => severity === "error")) return { ...failed(all), sound: declared };
  const powers = [...collected.powers.filter((power) => !isOfProbe(power)), ...probesOf(declared.servers)];
  if (!(await agree(powers))) return refused(powers);
  return { ok: true, value: declared, warnings: firstOfEach(sorted(all)) };
}

function evaluationOf(request: LoadRequest): EvaluationOptions {
  const { target, env, signal, print, pause, translations } = request;
  const { os, arch, host, user, home } = target ?? request.machine;
  // These are all the variables that are known of another machine.
  const given = target === undefined ? { ...env } : { HOME: home, USER: user, LOGNAME: user };
  const context = { os, arch, host, user, home, env: given };
  return { context, signal, print, pause, ...withoutUndefined({ translations }) };
}

/** Whose files may be included, and for which machine their names are made. */
function aroundOf(request: LoadRequest): Omit<IncludeContext, "root" | "servers"> {
  return { owner: ownerOf(request), machine: request.target ?? request.machine };
}

/** Servers of this machine, and what is wrong once everything is put together. */
function assemble(
  root: Root,
  collected: Collected,
  request: LoadRequest,
  isOwn: boolean,
): { declared: Declared; problems: Diagnostic[] } {
  const { target } = request;
  const machine = target ?? request.machine;
  const [main] = collected.roots;
  const settings = main?.value ?? {};
  const project = projectName(root, settings, isOwn, request);
  const facts = { project, home: machine.home, baseEnv: { ...accountEnv(machine), PATH: "" } };
  const scopes = new Map(collected.roots.map((file) => [file, scopeOf(file, machine)]));
  const there = (folder: string) =>
    target ? folderThere(folder, request.machine.home, target.home) : folder;
  const outcome = mergeServers(collected.candidates, ({ within }) => ({
    ...{ facts, machine },
    scope: (within && scopes.get(within)) ?? scopeOf(undefined, machine),
  }));
  const servers = outcome.servers.map((server) => ({
    ...server,
    folder: (at: KeyPath) => there(server.folder(at)),
  }));
  const { elsewhere, elsewhereBecause } = outcome;
  const around = { elsewhere: new Set(elsewhere), unread: collected.unread };
  const between = graphProblems(servers, around);
  const holds = (file: RootFile) => scopes.get(file)?.whens.every((when) => matches(when, machine)) ?? false;
  const path = collected.roots.flatMap((file) => {
    // The root's own file has always counted, whatever its conditions.
    if (file !== main && !holds(file)) return [];
    const folder = there(sourceFolder(file.source));
    return asTexts(scopes.get(file)?.settings.path).map((entry) => expandPath(entry, folder, machine));
  });
  const here = collected.roots.filter((file) => file === main || holds(file));
  const holding = here.flatMap((file) => scopes.get(file) ?? []);
  const { backends, problems } = mergeBackends(holding, servers, machine);
  const { clients, problems: ofClients } = mergeClients(holding, servers, around);
  const standing = standaloneActions(collected.roots.filter(holds));
  const alone = standing.actions.map((action) => ({
    ...action,
    folder: (at: KeyPath) => there(action.folder(at)),
  }));
  const actions = [...servers.flatMap(serverActions), ...alone];
  const isWritten = (key: string) => {
    const [first = "", own] = key.split(":");
    if (own === undefined)
      return collected.roots.some(
        ({ value: { actions: all } }) => isObject(all) && Object.hasOwn(all, first),
      );
    return servers.some(({ name, isSaid }) => name === first && isSaid(["actions", own]));
  };
  const { files } = collected;
  const where = { root: root.path, named: root.named, config: root.config, place: root.folder, isOwn };
  const declared = {
    project,
    isNamed: project === settings.project,
    ...where,
    path,
    backends,
    clients,
    servers,
    actions,
    elsewhere,
    elsewhereBecause,
    files,
  };
  return {
    declared,
    problems: [
      ...outcome.problems,
      ...standing.problems,
      ...between,
      ...problems,
      ...ofClients,
      ...actionProblems(actions, servers, facts),
      ...orderProblems(actions, { ...around, isWritten }),
    ],
  };
}

/** The schema reports values of the wrong form; here they count as absent. */
const asTexts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];

function projectName(
  root: Root,
  settings: Readonly<Record<string, unknown>>,
  isOwn: boolean,
  { appliedAs }: Pick<LoadRequest, "appliedAs">,
): string {
  if (typeof settings.project === "string" && NAME_PATTERN.test(settings.project)) return settings.project;
  const names = namesOf(root, isOwn);
  return appliedAs?.(root, names) ?? names[0];
}

/** The name of a project that sets none, then names that it may have got by another path or from an earlier version. */
function namesOf({ named, path, folder }: Root, isOwn: boolean): readonly [string, ...string[]] {
  const ofFolder = [fitName(basename(path)), fitName(basename(folder))] as const;
  // Several files in one folder are a project each.
  if (named !== path) return [fitName(basename(named, extname(named))), DEFAULT_PROJECT, ...ofFolder];
  return isOwn ? [DEFAULT_PROJECT, ...ofFolder] : [...ofFolder, DEFAULT_PROJECT];
}

/** By file, line and column. A problem in the defaults comes up once for each server, and is kept once. */
function sorted(problems: readonly Diagnostic[]): Diagnostic[] {
  const key = (d: Diagnostic) => JSON.stringify([d.file, d.line, d.column, d.path, d.message]);
  const unique = [
    ...new Map(problems.toReversed().map((problem) => [key(problem), problem])).values(),
  ].toReversed();
  const order = (a: Diagnostic, b: Diagnostic) =>
    compare(a.file ?? "", b.file ?? "") ||
    compare(a.line ?? 0, b.line ?? 0) ||
    compare(a.column ?? 0, b.column ?? 0);
  return unique.sort(order);
}

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
