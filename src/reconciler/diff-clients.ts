import { canonicalHash, canonicalJson } from "../model/canonical.ts";
import {
  type ClientChange,
  type ClientState,
  changeOf,
  type EntryChange,
  type ObservedEntry,
  type WantedEntry,
} from "../model/client-plan.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { entryFields } from "./entry-fields.ts";

/** Whose files they are, and how much of them is xy's to change. */
export interface ClientsContext {
  readonly project: string;
  /** Projects whose entries it takes over. */
  readonly former?: readonly string[];
  /** Entries that xy did not write are taken over where they are in the way. */
  readonly adopts: boolean;
}

interface ClientsDiff {
  /** In the order of the states. */
  readonly changes: readonly ClientChange[];
  /** An error for each entry that is not the project's to write. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The difference between what files of clients are to say and what they say. Pure. */
export function diffClients(states: readonly ClientState[], context: ClientsContext): ClientsDiff {
  const all = states.map((state) => diffClient(state, context));
  return {
    changes: all.map(({ change }) => change),
    diagnostics: all.flatMap(({ diagnostics }) => diagnostics),
  };
}

function diffClient(state: ClientState, context: ClientsContext) {
  const { client, scope, file, folder, wanted, entries, missing, fault } = state;
  const at = { client, scope, file, ...withoutUndefined({ folder }) };
  if (fault !== undefined) {
    const message = `${fault}; the entries of ${client} stay as they are`;
    const diagnostics: Diagnostic[] = [{ severity: "warning", message }];
    return { change: { ...at, change: "none", entries: [], others: [], fault } as const, diagnostics };
  }
  const isOurs = (entry: ObservedEntry) => isOf(entry, context);
  const gone = new Set(missing.map(({ name }) => name));
  const decided = wanted.map((one) => {
    const found = entries.find(({ name }) => name === one.name);
    return decide(one, found, { ...context, state, wasThere: gone.has(one.name) });
  });
  const isWanted = (name: string) => wanted.some((one) => one.name === name);
  const removals = [
    ...entries.filter((entry) => isOurs(entry) && !isWanted(entry.name)).map(removal),
    // Nothing is left to remove but xy's own record of it.
    ...missing
      .filter(({ name }) => !isWanted(name) && !entries.some((entry) => entry.name === name))
      .map(
        ({ name, server }): EntryChange => ({ name, server, change: "remove", fields: [], drift: "removed" }),
      ),
  ];
  const changes = [...decided.flatMap(({ change }) => change ?? []), ...removals].sort(byName);
  const ours = new Set(changes.map(({ name }) => name));
  return {
    change: {
      ...at,
      change: changeOf(changes),
      entries: changes,
      others: entries.map(({ name }) => name).filter((name) => !ours.has(name)),
    },
    diagnostics: decided.flatMap(({ diagnostic }) => diagnostic ?? []),
  };
}

const isOf = ({ owner }: ObservedEntry, { project, former = [] }: ClientsContext): boolean =>
  owner !== undefined && [project, ...former].includes(owner.project);

function removal({ name, value, owner, isChanged }: ObservedEntry): EntryChange {
  const base = { name, server: owner?.server ?? name, change: "remove", fields: [] } as const;
  return { ...base, found: canonicalHash(value), ...(isChanged && { drift: "changed" as const }) };
}

interface Around extends ClientsContext {
  readonly state: ClientState;
  /** xy has written an entry of that name. */
  readonly wasThere: boolean;
}

function decide(
  wanted: WantedEntry,
  found: ObservedEntry | undefined,
  around: Around,
): { readonly change?: EntryChange; readonly diagnostic?: Diagnostic } {
  const { server, name, value, becomes = value, fault } = wanted;
  if (fault !== undefined) return { diagnostic: { severity: "error", server, message: fault } };
  const base = { name, server, value, fields: [] };
  if (found === undefined)
    return { change: { ...base, change: "add", ...(around.wasThere && { drift: "removed" as const }) } };
  const isSame = canonicalJson(found.value) === canonicalJson(becomes);
  const was = { found: canonicalHash(found.value) };
  const fields = entryFields(found.value, becomes);
  if (isOf(found, around)) {
    if (isSame) return { change: { ...base, ...was, change: "none" } };
    const drift = found.isChanged ? { drift: "changed" as const } : {};
    return { change: { ...base, ...was, change: "update", fields, ...drift } };
  }
  if (found.owner === undefined && around.adopts)
    return { change: { ...base, ...was, change: "update", fields, adopted: true } };
  return { diagnostic: inTheWay(wanted, found, isSame, around.state) };
}

/** Whoever wrote it may need it as it is. */
function inTheWay(
  { server, name }: WantedEntry,
  { owner }: ObservedEntry,
  isSame: boolean,
  { client, file }: ClientState,
): Diagnostic {
  const ways = `give ${client} a prefix, or leave ${server} out of it with except`;
  if (owner !== undefined) {
    const message = `cannot write ${name} into ${file}: project ${owner.project} has an entry of that name there; ${ways}`;
    return { severity: "error", server, message };
  }
  if (isSame) {
    const message = `${client} has ${name} already, as it should be, but xy did not write it: it stays when the server goes; --adopt takes it over`;
    return { severity: "warning", message };
  }
  const message = `cannot write ${name} into ${file}: there is an entry of that name which xy did not write; take it over with --adopt, ${ways}`;
  return { severity: "error", server, message };
}

const byName = (a: EntryChange, b: EntryChange) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
