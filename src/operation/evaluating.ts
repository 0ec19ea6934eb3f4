import { basename, dirname, join } from "node:path";
import type { Declared } from "../config/declared.ts";
import { type Loaded, type LoadRequest, load } from "../config/load.ts";
import { READING_BOUND } from "../config/read/limits.ts";
import { resolveBackends } from "../config/resolve/backends.ts";
import { type Resolved, resolve } from "../config/resolve/resolve.ts";
import { revive } from "../config/resolve/revive.ts";
import { resolveUnseen } from "../config/resolve/unseen.ts";
import type { SecretOutcome, SecretUse, World } from "../config/resolve/world.ts";
import type { BackendSettings } from "../model/backend-settings.ts";
import type { DesiredClient } from "../model/client-plan.ts";
import { CLIENT_NAMES } from "../model/clients.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { renamed, withNames } from "../model/former.ts";
import type { Machine } from "../model/machine.ts";
import { own } from "../model/own.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isSelected, type Selection } from "../reconciler/select.ts";
import { pathsOf } from "../system/paths.ts";
import { privateCache } from "../system/private-folder.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { readProject } from "../system/projects.ts";
import { appliedReferences } from "./applied-secrets.ts";
import { type Asking, mayUse } from "./consent.ts";
import type { Generation } from "./generations.ts";
import { hostNameOf } from "./host-name.ts";
import { movedHere } from "./left-behind.ts";
import { readMachine } from "./machine.ts";
import { portsHere } from "./ports-here.ts";
import { appliedAs, asTheyAre, type Here, nameOfRoot, namesToday, ownName, projectsHere } from "./roots.ts";
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
  /** The name of this machine that the caller gave; null if none was given, absent if nothing was evaluated. */
  readonly host?: string | null;
  /** Where it comes from. Absent if it needs no agreement: the account's own root, and what was applied before. */
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
  const before = setting.adopts
    ? [...projectsHere(state, here), ...movedHere(state, here)].map((one) => one.project)
    : [];
  const record = readProject(state, project);
  const resolved = await resolve(declared, {
    machine,
    env,
    ...portsHere(state, project, before),
    hmac: machineHmac(state),
    runSecretCommand: secretRunner(setting),
    ...(setting.secretUse ? { secretUse: setting.secretUse } : {}),
    ...(selection
      ? { isLeftOut: (name) => !isSelected({ name, tags: tagsOf(declared, name) }, selection) }
      : {}),
    ...appliedReferences(state, project),
  });
  const former = asTheyAre(namesToday(record, here, setting.adopts));
  return { ...resolved, desired: { ...resolved.desired, former }, ...given };
}

/** Of the server, and of the action that stands alone, with this name. */
function tagsOf({ servers, actions }: Declared, name: string): string[] {
  const alone = actions.filter(({ server }) => server === null);
  return [...servers, ...alone].flatMap((one) => (one.name === name ? one.input.tags : []));
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
      outcomes.get(key) ?? runSecretCommand(command, { signal, ...withoutUndefined({ folder }) });
    outcomes.set(key, outcome);
    return outcome;
  };
}

/** A client that another version knew cannot be written to here. */
export function knownClient(client: NonNullable<Generation["clients"]>[number]): DesiredClient[] {
  const name = CLIENT_NAMES.find((known) => known === client.client);
  return name === undefined ? [] : [{ ...client, client: name }];
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
  const { servers, actions = [], clients = [] } = generation;
  const folders = Object.fromEntries(
    Object.entries(generation.folders ?? {}).map(([key, folder]) => [key, renamed(folder, former)]),
  );
  const past = {
    ...{ project, root, former: asTheyAre(former) },
    servers: servers.map((spec) => withNames(spec, former)),
    actions: actions.map((spec) => withNames(spec, former)),
    ...(clients.length > 0 && { clients: clients.flatMap(knownClient) }),
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
