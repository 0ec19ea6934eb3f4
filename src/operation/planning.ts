import { basename, dirname, join } from "node:path";
import type { Backend } from "../backends/backend.ts";
import { resolveBackends } from "../config/backend-settings.ts";
import type { Declared } from "../config/declared.ts";
import { READING_BOUND } from "../config/limits.ts";
import { type Loaded, type LoadRequest, load } from "../config/load.ts";
import { type Resolved, resolve } from "../config/resolve.ts";
import { revive } from "../config/revive.ts";
import { resolveUnseen } from "../config/unseen.ts";
import type { SecretOutcome, SecretUse, World } from "../config/world.ts";
import type { ActionSpec } from "../model/action.ts";
import type { BackendSettings } from "../model/backend-settings.ts";
import { unknownFields } from "../model/canonical.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { renamed, withNames } from "../model/former.ts";
import type { Machine } from "../model/machine.ts";
import type { Observed } from "../model/observed.ts";
import { own } from "../model/own.ts";
import type { Change, Desired, Plan, Unreachable } from "../model/plan.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import { buildPlan } from "../reconciler/plan.ts";
import { isSelected, type Selection } from "../reconciler/select.ts";
import { holderOf } from "../system/listeners.ts";
import { pathsOf } from "../system/paths.ts";
import { privateCache } from "../system/private-folder.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { lostRoots, lostRootText, readProject, recordedProjects } from "../system/projects.ts";
import { appliedReferences } from "./applied-secrets.ts";
import { type Asking, mayUse } from "./consent.ts";
import { activeGeneration, type Generation } from "./generations.ts";
import { hostNameOf } from "./host-name.ts";
import { readMachine } from "./machine.ts";
import { heldPorts, strangersWelcome } from "./port-checks.ts";
import {
  appliedAs,
  asTheyAre,
  formerNames,
  type Here,
  nameOfRoot,
  ownName,
  projectsHere,
  renamedHere,
  renamedText,
} from "./roots.ts";
import { machineHmac, runSecretCommand } from "./secrets.ts";
import type { Origin } from "./trust.ts";

/** From a configuration to a plan: evaluate, observe, compare, and check what would fail later. */

export interface Setting {
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** State folder. */
  readonly state: string;
  readonly explicit?: { readonly path: string; readonly from: "--config" | "XY_CONFIG" };
  /** Ends the reading of the configuration. */
  readonly signal: AbortSignal;
  /** What a configuration can execute and send is asked about before it does. */
  readonly consent: Omit<Asking, "state">;
  /** Gets what a configuration program prints. */
  readonly print: (text: string) => void;
  /** How much of the secrets is looked at: what is not read counts as unchanged. Absent: all. */
  readonly secretUse?: SecretUse;
  /** What the plan is about: of what is left out no secret is looked up. */
  readonly selection?: Selection;
  /** Another machine than this one, which the configuration is evaluated for: nothing of it is looked at. */
  readonly target?: Machine;
  /** What the configuration was applied as before, by another name, becomes this project: its ports are kept. */
  readonly adopts?: boolean;
  /** Nothing that is recorded counts: not by which name a root went before, either. */
  readonly isFresh?: true;
}

/** A configuration, evaluated for this machine. */
export interface Evaluated extends Resolved {
  /** Where the configuration says a part of a server. */
  readonly place: (
    server: string,
    path: readonly (string | number)[],
  ) => Pick<Diagnostic, "file" | "line" | "column" | "path">;
  readonly files: readonly string[];
  /** Folders of servers, and of actions that stand alone (`:name`), of files that are included. */
  readonly folders?: Readonly<Record<string, string>>;
  readonly warnings: readonly Diagnostic[];
  /** Servers that are declared for other machines. */
  readonly elsewhere: readonly string[];
  /** What a project of it is bound to. */
  readonly here: Here;
  /** What the caller says that this machine is called; null where nobody does, absent where nothing was evaluated. */
  readonly host?: string | null;
  /** Where it is from. Absent when nobody has to agree to it: the account's own root, and what was applied before. */
  readonly origin?: Origin;
}

/** Reads the configuration; a failure holds every problem of every file. Asks about what it can do before it does it. */
export async function readConfiguration(
  setting: Setting,
  machine: Machine,
  bound = READING_BOUND,
): Promise<Loaded> {
  const { cwd, env, state, explicit, print, consent, target } = setting;
  const { fault } = hostNameOf(env);
  if (fault && !target) return { ok: false, problems: [fault] };
  // A timer of our own: Node 20 collects a timeout signal that only AbortSignal.any holds, and it never fires.
  const over = new AbortController();
  setting.signal.addEventListener("abort", () => over.abort(), { once: true });
  const arm = () => setTimeout(() => over.abort(), bound);
  let timer = arm();
  const agree: LoadRequest["agree"] = async (root, powers) => {
    clearTimeout(timer);
    const answer = await mayUse(root, powers, { ...consent, state });
    timer = arm();
    return answer;
  };
  const { signal } = over;
  const pause = () => new Promise<void>((turn) => setImmediate(turn));
  const translations = () => privateCache(join(pathsOf(env).cache, "translated"));
  const nameOf = (typed: string) => (setting.isFresh ? ownName(typed) : nameOfRoot(state, typed));
  const known = setting.isFresh ? {} : { appliedAs: appliedHere(state) };
  const found = { ...(explicit ? { explicit } : {}), ...(target ? { target } : {}), nameOf, ...known };
  const request = { cwd, env, machine, isPrivateGroup, agree, signal, print, pause, translations, ...found };
  return load(request).finally(() => clearTimeout(timer));
}

const appliedHere =
  (state: string): NonNullable<LoadRequest["appliedAs"]> =>
  ({ path, config, folder }, names) =>
    appliedAs(state, { root: path, config, place: folder }, names);

/** Reads and resolves the configuration. */
export async function evaluate(setting: Setting): Promise<Result<Evaluated> & Omit<Loaded, "sound">> {
  const machine = readMachine(setting.env);
  const loaded = await readConfiguration(setting, machine);
  if (!loaded.ok) return loaded;
  const value = await resolveHere(loaded.value, setting, machine);
  const { warnings } = loaded;
  return { ok: true, value: { ...value, warnings }, warnings };
}

/** How the backends are reached that the configuration names, if there is one. Of its servers nothing is looked at. */
export async function declaredBackends(
  setting: Setting,
): Promise<Result<BackendSettings> & Pick<Loaded, "refused" | "missing">> {
  const machine = readMachine(setting.env);
  const loaded = await readConfiguration(setting, machine);
  if (!loaded.ok) return loaded;
  const world = { env: setting.env, machine, runSecretCommand: secretRunner(setting) };
  const { settings, diagnostics } = await resolveBackends(loaded.value.backends, world);
  const problems = diagnostics.filter(({ severity }) => severity === "error");
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: settings, warnings: [] };
}

/** A configuration on this machine, as it is now. */
export async function resolveHere(
  declared: Declared,
  setting: Setting,
  machine: Machine,
): Promise<Omit<Evaluated, "warnings">> {
  const { env, state, target, selection } = setting;
  const { project, files, elsewhere, isOwn, named, root, config, place } = declared;
  const here = { root, config, place };
  const given = {
    files,
    elsewhere,
    here,
    place: placesIn(declared),
    folders: includedFolders(declared),
    host: callersName(env),
    ...(isOwn ? {} : { origin: { named, folder: place } }),
  };
  if (target) {
    const resolved = await resolveUnseen(declared, { machine: target, isElsewhere: true });
    return { ...resolved, ...given };
  }
  const before = setting.adopts ? projectsHere(state, here).map((one) => one.project) : [];
  const others = recordedProjects(state).filter((other) => other !== project && !before.includes(other));
  const record = readProject(state, project);
  const kept: Readonly<Record<string, number>> = Object.assign(
    {},
    ...[...before, project].map((one) => readProject(state, one)?.ports),
  );
  const keptByOthers = new Set(
    others.flatMap((other) => Object.values(readProject(state, other)?.ports ?? {})),
  );
  const resolved = await resolve(declared, {
    machine,
    env,
    keptPort: (server) => own(kept, server),
    portTaken: async (port) => keptByOthers.has(port) || (await holderOf(port)) !== undefined,
    hmac: machineHmac(state),
    runSecretCommand: secretRunner(setting),
    ...(setting.secretUse ? { secretUse: setting.secretUse } : {}),
    ...(selection ? { isLeftOut: (name) => !isSelected(name, selection) } : {}),
    ...appliedReferences(state, project),
  });
  const former = asTheyAre(formerNames(record, here, setting.adopts));
  return { ...resolved, desired: { ...resolved.desired, former }, ...given };
}

/** What is not in `servers.d`, or beside the root's own file, is in a file that is included. */
function includedFolders({ servers, actions, files }: Declared): Record<string, string> {
  const usual = usualFolder(files);
  const alone = actions.filter(({ server }) => server === null);
  const all = [
    ...servers.map(({ name, folder }) => ({ key: name, folder: folder([]), usual: usual(name) })),
    ...alone.map(({ name, folder }) => ({ key: `:${name}`, folder: folder([]), usual: usual(undefined) })),
  ];
  return Object.fromEntries(
    all.flatMap((one) => (one.folder === one.usual ? [] : [[one.key, one.folder] as const])),
  );
}

/** Where a server's own file is, or the main one. */
const usualFolder = (files: readonly string[]) => (server: string | undefined) => {
  const own = files.find((file) => basename(file).split(".")[0] === server) ?? files[0];
  return own === undefined ? undefined : dirname(own);
};

function callersName(env: Setting["env"]): string | null {
  const { name, from } = hostNameOf(env);
  return from === "XY_HOST" ? name : null;
}

function placesIn({ servers }: Declared): Evaluated["place"] {
  return (name, path) => servers.find((server) => server.name === name)?.place(path) ?? {};
}

/** Runs each command once in a folder, however many servers name it. */
function secretRunner({ signal }: Pick<Setting, "signal">): World["runSecretCommand"] {
  const outcomes = new Map<string, Promise<SecretOutcome>>();
  return (command, folder) => {
    const key = JSON.stringify([command, folder]);
    const outcome =
      outcomes.get(key) ?? runSecretCommand(command, { signal, ...(folder === undefined ? {} : { folder }) });
    outcomes.set(key, outcome);
    return outcome;
  };
}

/** An earlier generation, to be applied again. */
export async function evaluateGeneration(
  generation: Generation,
  project: string,
  setting: Pick<Setting, "env" | "state" | "signal">,
): Promise<Evaluated> {
  const record = readProject(setting.state, project);
  // As it was bound last: earlier specs may name what is there in another way.
  const { former = [], ...here } = record ?? { root: generation.root, config: generation.root };
  const root = renamed(generation.root, former);
  const files = generation.files.map((file) => renamed(file, former));
  const { servers, actions = [] } = generation;
  const folders = Object.fromEntries(
    Object.entries(generation.folders ?? {}).map(([key, folder]) => [key, renamed(folder, former)]),
  );
  const past = {
    ...{ project, root, former: asTheyAre(former) },
    servers: servers.map((spec) => withNames(spec, former)),
    actions: actions.map((spec) => withNames(spec, former)),
  };
  const revived = await revive(past, {
    env: setting.env,
    hmac: machineHmac(setting.state),
    runSecretCommand: secretRunner(setting),
    folderOf: ({ server, action }) =>
      own(folders, server ?? `:${action}`) ?? usualFolder(files)(server) ?? root,
  });
  const place = record?.place ?? here.root;
  return {
    ...{ ...revived, files, folders, elsewhere: [], warnings: [], place: () => ({}) },
    here: { root: here.root, config: here.config, place },
  };
}

/** What a plan is made from. */
export type ToPlan = Pick<Evaluated, "desired" | "diagnostics" | "warnings"> &
  Partial<Pick<Evaluated, "place" | "secrets" | "here">>;

/** What a plan is made with, beside what is desired. */
export interface PlanRequest {
  /** All that have servers of the project, or are to have some. */
  readonly backends: readonly Backend[];
  /** Names of the project's servers that a backend has on record. */
  readonly recorded: (kind: Backend["kind"]) => readonly string[];
  readonly selection: Selection;
  readonly state: string;
  /** What a backend cannot express is an error, also of servers that match. */
  readonly strict?: boolean;
  /** What the configuration was applied as before, by another name, is removed first. */
  readonly adopts?: boolean;
}

/**
 * The difference between what is desired and what runs, with every preflight problem. Servers whose backend does not
 * answer are left out, and named.
 */
export async function makePlan(evaluated: ToPlan, request: PlanRequest): Promise<Result<Plan>> {
  const { backends, selection, state } = request;
  const { observed, actions, unreachable } = await observeAll(evaluated.desired, request);
  const lost = new Set(unreachable.flatMap(({ servers }) => servers));
  const isReached = ({ server }: ActionSpec) => server === null || !lost.has(server);
  const desired = {
    ...evaluated.desired,
    servers: evaluated.desired.servers.filter(({ name }) => !lost.has(name)),
    // Without whoever knows them nothing can be said of any. Those of a server go with that.
    actions: actions === undefined ? [] : evaluated.desired.actions.filter(isReached),
  };
  const reachable = observed.filter(({ name }) => !lost.has(name));
  const diagnostics = [...evaluated.warnings, ...evaluated.diagnostics].filter(
    ({ server }) => server === undefined || !lost.has(server),
  );
  const chosen = withoutNames(selection, lost);
  const built = chosen
    ? buildPlan(desired, reachable, diagnostics, chosen, actions?.filter(isReached))
    : buildPlan({ ...desired, servers: [], actions: [] }, [], diagnostics);
  if (!built.ok) return built;
  const changes = await Promise.all(built.value.changes.map((change) => withUnit(change, backends)));
  const remarks = changes.flatMap((change) =>
    remarksOn(change, backends, evaluated, request.strict ?? false),
  );
  const units = changes.flatMap(unitDiagnostics);
  const unknown = reachable.flatMap(unknownFieldsOf);
  const hints = hintsOn(changes, backends);
  const { adopts = false } = request;
  const known = evaluated.here ? renamedHere(state, desired.project, evaluated.here) : [];
  const projects = recordedProjects(state);
  const left = { renamed: known.map(({ project }) => project), moves: adopts, projects };
  const held = await heldPorts(changes, reachable, left);
  const renames = known.map(
    (one): Diagnostic => ({ severity: "warning", message: renamedText(one, adopts) }),
  );
  const welcome = changes.flatMap(strangersWelcome);
  const away = await managersAway(changes, backends);
  const latest = activeGeneration(state, desired.project);
  const rolledBack =
    latest?.rollbackOf === undefined
      ? {}
      : { rolledBack: { generation: latest.number, of: latest.rollbackOf } };
  // That of this one is here.
  const others = projects.filter((project) => project !== desired.project);
  const rootless = lostRoots(state, others).map(
    (lost): Diagnostic => ({ severity: "warning", message: lostRootText(lost) }),
  );
  const all = [
    ...built.value.diagnostics,
    ...renames,
    ...rootless,
    ...remarks,
    ...units,
    ...unknown,
    ...hints,
    ...welcome,
    ...held,
    ...away,
  ];
  const plan = {
    ...built.value,
    changes,
    ...rolledBack,
    ...(unreachable.length > 0 ? { unreachable } : {}),
    diagnostics: all.filter(isTold(changes)),
  };
  return { ...built, value: plan };
}

async function observeAll(
  { project, servers }: Desired,
  { backends, recorded }: PlanRequest,
): Promise<{ observed: Observed[]; actions: readonly ActionSpec[] | undefined; unreachable: Unreachable[] }> {
  const unreachable: Unreachable[] = [];
  let actions: readonly ActionSpec[] | undefined = [];
  const observed = await Promise.all(
    backends.map(async (backend) => {
      const { kind } = backend;
      try {
        if (backend.actions) actions = await backend.actions.recorded(project);
        return await backend.observe(project);
      } catch (error) {
        if (!(error instanceof BackendUnreachable)) throw error;
        if (backend.actions) actions = undefined;
        const declared = servers.filter((server) => server.backend === kind).map(({ name }) => name);
        const names = [...new Set([...declared, ...recorded(kind)])].sort();
        unreachable.push({ backend: kind, message: error.message, servers: names });
        return [];
      }
    }),
  );
  return { observed: observed.flat(), actions, unreachable };
}

/**
 * Managers that an apply would not reach. One of whose servers nothing is recorded is not asked when they are observed.
 * The agent is none: an apply starts it.
 */
async function managersAway(changes: readonly Change[], backends: readonly Backend[]): Promise<Diagnostic[]> {
  const found = await Promise.all(
    backends.map(async (backend): Promise<Diagnostic[]> => {
      const specs = changes.flatMap(({ action, desired }) =>
        action !== "none" && desired?.backend === backend.kind ? [desired] : [],
      );
      if (backend.actions || specs.length === 0) return [];
      try {
        await backend.reach(specs);
        return [];
      } catch (error) {
        if (!(error instanceof BackendUnreachable)) throw error;
        const names = specs.map(({ name }) => name).join(", ");
        return [{ severity: "warning", message: `${error.message} (an apply of ${names} would fail)` }];
      }
    }),
  );
  return found.flat();
}

/** Who is selected and cannot be reached is no unknown name; undefined when nobody else is selected. */
function withoutNames(
  { only = [], except = [] }: Selection,
  lost: ReadonlySet<string>,
): Selection | undefined {
  const rest = (names: readonly string[]) => names.filter((name) => !lost.has(name));
  if (only.length > 0 && rest(only).length === 0) return undefined;
  return { only: rest(only), except: rest(except) };
}

async function withUnit(change: Change, backends: readonly Backend[]): Promise<Change> {
  const backend = backends.find(({ kind }) => kind === change.desired?.backend);
  const unit = await backend?.unitChange?.(change);
  return unit === undefined ? change : { ...change, unit };
}

/** What its backend refuses of a server, and what is lost of it where something is done about it. */
function remarksOn(
  { desired, observed, action, server }: Change,
  backends: readonly Backend[],
  { place, secrets = {} }: ToPlan,
  strict: boolean,
): Diagnostic[] {
  const backend = backends.find(({ kind }) => kind === desired?.backend);
  if (desired === undefined || desired.wanted === "ignore" || action === "remove") return [];
  const isSame = observed?.spec !== undefined && observed.backend === desired.backend;
  const told = new Set(isSame ? backend?.check(observed.spec).map(({ message }) => message) : []);
  return (backend?.check(desired, own(secrets, server)) ?? []).flatMap(
    ({ severity, path, message }): Diagnostic[] => {
      // What was lost before was told before.
      if (severity === "warning" && !strict && (action === "none" || told.has(message))) return [];
      return [
        {
          severity: strict ? "error" : severity,
          server,
          message,
          ...(severity === "error" ? place?.(server, path) : {}),
        },
      ];
    },
  );
}

/** What another version has recorded of a server: an apply by this one takes it away. */
function unknownFieldsOf({ name, spec }: Observed): Diagnostic[] {
  const unknown = spec === undefined ? [] : unknownFields(spec);
  if (unknown.length === 0) return [];
  // Of no server, so that it is told also where nothing changes.
  const message = `another version of xy applied ${name}, with settings that this one does not know (${unknown.join(", ")}): an apply of ${name} with this version loses them`;
  return [{ severity: "warning", message }];
}

/** A file that is not ours is in the way of whatever would be written. */
function unitDiagnostics({ server, unit, action, observed }: Change): Diagnostic[] {
  const isWritten = action !== "none" || observed?.drift !== undefined;
  if (unit === undefined || !isWritten) return [];
  if (unit.obstacle !== undefined) return [{ severity: "error", server, message: unit.obstacle }];
  if (unit.link === undefined) return [];
  const message = `${unit.file} is a link to ${unit.link}: an apply puts a file in its place, and leaves what it leads to as it is`;
  return [{ severity: "warning", server, message }];
}

function hintsOn(changes: readonly Change[], backends: readonly Backend[]): Diagnostic[] {
  const added = changes.filter(({ action }) => action === "add");
  const hints = added.flatMap(({ desired }) => {
    const backend = backends.find(({ kind }) => kind === desired?.backend);
    return (desired && backend?.hint?.(desired)) ?? [];
  });
  return [...new Set(hints)].map((message) => ({ severity: "warning", message }));
}

/** Warnings about a server are for whoever changes it. */
function isTold(changes: readonly Change[]): (diagnostic: Diagnostic) => boolean {
  const changing = new Set(changes.filter(({ action }) => action !== "none").map(({ server }) => server));
  return ({ severity, server }) => severity === "error" || server === undefined || changing.has(server);
}

/** What is wanted once everything of a project is to go. */
export function nothingDesired(project: string, root: string): Desired {
  return { project, root, servers: [], actions: [] };
}
