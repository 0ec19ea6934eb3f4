import type { ClientLook, ClientTarget, ConnectCommand } from "../clients/types.ts";
import { canonicalHash } from "../model/canonical.ts";
import type {
  ClientChange,
  ClientState,
  DesiredClient,
  WantedEntry,
  WriteClient,
} from "../model/client-plan.ts";
import { isObject } from "../model/object.ts";
import type { Desired } from "../model/plan.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isFolder } from "../system/files.ts";
import { clientsDir } from "../system/paths.ts";

/** The files of editors and assistants, for one project. */
export interface ClientFiles {
  /** Entries that xy did not write are taken over. */
  readonly adopts: boolean;
  /**
   * Those that the configuration names, and those that xy wrote something into for the project. `former`: other projects
   * whose entries it takes over.
   */
  states(desired: Desired, former?: readonly string[]): Promise<readonly ClientState[]>;
  /** What was written for that project is this one's from now on. */
  takeFrom(project: string): Promise<void>;
  write(change: ClientChange): ReturnType<WriteClient>;
}

export interface ClientFilesOptions {
  /** State folder. */
  readonly state: string;
  readonly project: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a client starts that takes no URL. */
  readonly connect: ConnectCommand;
  readonly adopts: boolean;
}

/** How often a file is looked at again whose entries change while they are written. */
const TRIES = 3;

/** Loads the code for them only if there are any. */
export function clientFiles(options: ClientFilesOptions): ClientFiles {
  const { state, project, adopts } = options;
  return {
    adopts,
    states: async (desired, former = []) => {
      const declared = desired.clients ?? [];
      if (declared.length === 0 && !isFolder(clientsDir(state))) return [];
      return statesOf(declared, desired.root, former, options);
    },
    takeFrom: async (from) => {
      if (isFolder(clientsDir(state))) (await import("../clients/records.ts")).retag(state, from, project);
    },
    write: (change) => writeEntries(change, state, project),
  };
}

async function statesOf(
  declared: readonly DesiredClient[],
  folder: string,
  former: readonly string[],
  options: ClientFilesOptions,
): Promise<ClientState[]> {
  const [{ targetOf }, { targetsOfProject }, { readMachine }] = await Promise.all([
    import("../clients/targets.ts"),
    import("../clients/records.ts"),
    import("./machine.ts"),
  ]);
  const { state, project, env } = options;
  const { os, home } = readMachine(env);
  const named = declared.flatMap((one) => {
    const target = targetOf(one.client, one.scope, { os, home, env, folder });
    return target === undefined ? [] : [{ target, entries: one.entries }];
  });
  const recorded = [project, ...former].flatMap((one) => targetsOfProject(state, one));
  const known = new Map(recorded.map((target) => [target.file, target]));
  for (const { target } of named) known.delete(target.file);
  const all = [...named, ...[...known.values()].map((target) => ({ target, entries: [] }))];
  all.sort((a, b) => (a.target.client < b.target.client ? -1 : 1));
  return Promise.all(
    all.map(({ target, entries }) => stateOf(target, entries, [project, ...former], options)),
  );
}

async function stateOf(
  target: ClientTarget,
  entries: DesiredClient["entries"],
  projects: readonly string[],
  { state, project, connect }: ClientFilesOptions,
): Promise<ClientState> {
  const [{ whyNotSet }, { look }, { entryFor }, owned, { readFileRecord }] = await Promise.all([
    import("../clients/change.ts"),
    import("../clients/look.ts"),
    import("../clients/entry.ts"),
    import("../clients/owned.ts"),
    import("../clients/records.ts"),
  ]);
  const { client, scope, file } = target;
  const at = { client, scope, file, ...withoutUndefined({ folder: target.folder }) };
  const seen = await look(target);
  if (!seen.ok) {
    const fault = seen.problems.map(({ message }) => message).join("; ");
    return { ...at, wanted: [], entries: [], missing: [], fault };
  }
  const record = readFileRecord(state, file);
  const found = owned.ownedIn(seen.value, record);
  const wanted = entries.map(({ server, name, url, token }): WantedEntry => {
    const of = { project, server, url, ...(token ? { token: withoutUndefined(token) } : {}) };
    const { value } = entryFor(seen.value.shape, name, of, connect);
    const there = found.find((one) => one.name === name)?.value;
    const becomes = owned.withOthersFields(value, there, owned.ownOf(record, name, there));
    return { server, name, value, becomes: plain(becomes) };
  });
  const set = wanted.map((one) => ({ ...one, value: one.value as never }));
  const fault = await whyNotSet(state, seen.value, set);
  if (fault !== undefined) return { ...at, wanted: [], entries: [], missing: [], fault };
  const missing = owned.missingEntries(state, seen.value).filter((one) => projects.includes(one.project));
  const observed = found.map(({ value, owner, ...entry }) => ({
    ...{ ...entry, value: plain(value) },
    ...withoutUndefined({ owner }),
  }));
  return { ...at, wanted, entries: observed, missing };
}

/** Only what the plan saw is changed: what somebody else has done to an entry since is for the next plan. */
async function writeEntries(change: ClientChange, state: string, project: string): ReturnType<WriteClient> {
  const [{ look, rowOf }, { changeEntries }] = await Promise.all([
    import("../clients/look.ts"),
    import("../clients/change.ts"),
  ]);
  const { client, scope, file, folder, entries } = change;
  const target = { client, scope, file, ...(folder === undefined ? {} : { folder }) };
  const active = entries.filter((entry) => entry.change !== "none");
  const set = active.flatMap(({ change: what, name, server, value, adopted }) =>
    what === "remove" ? [] : [{ name, server, value: value as never, adopt: adopted ?? false }],
  );
  const remove = active.flatMap(({ change: what, name }) => (what === "remove" ? [name] : []));
  for (let tries = 0; tries < TRIES; tries++) {
    const seen = await look(target);
    if (!seen.ok) return { ok: false, message: seen.problems.map(({ message }) => message).join("; ") };
    const moved = active.filter((entry) => hashIn(seen.value, entry.name) !== entry.found);
    if (moved.length > 0) {
      const names = moved.map(({ name }) => name).join(", ");
      return { ok: false, message: `${names} changed in ${file} since the plan was made; plan again` };
    }
    const outcome = await changeEntries(state, seen.value, project, { set, remove });
    if (outcome.is === "refused") return { ok: false, message: outcome.problem.message };
    const what = change.change === "remove" ? "removed" : set.map(({ name }) => name).join(", ");
    if (outcome.is !== "stale") return { ok: true, detail: `${what}; ${rowOf(client).reload}` };
  }
  return { ok: false, message: `${file} keeps changing; close ${client}, and apply again` };
}

function hashIn({ entries }: ClientLook, name: string): string | undefined {
  const found = entries.find((entry) => entry.name === name);
  return found && canonicalHash(plain(found.value));
}

/** As JSON has it: a format may read whole numbers as `bigint`. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
