import type { ClientName, Scope } from "./clients.ts";
import type { FieldChange } from "./field-change.ts";

/** The files of clients as a plan sees them: what they are to say, what they say, and the difference. */

/** What a client's file is to say about one server. */
interface DesiredEntry {
  readonly server: string;
  /** Under which the client knows it. */
  readonly name: string;
  /** Where the server answers. */
  readonly url: string;
  /** It asks for a bearer token; `variable`: the environment variable that a person keeps it in. */
  readonly token?: { readonly variable?: string | undefined } | undefined;
}

/** A client whose file is to have entries for these servers, and no others of this project. */
export interface DesiredClient {
  readonly client: ClientName;
  readonly scope: Scope;
  /** In name order. */
  readonly entries: readonly DesiredEntry[];
}

/** An entry as the client writes it: plain data. */
export interface WantedEntry {
  readonly server: string;
  readonly name: string;
  readonly value: unknown;
  /** The same with what somebody has added to the entry that is there, and xy leaves. Absent: nothing. */
  readonly becomes?: unknown;
  /** Why the client cannot have it. */
  readonly fault?: string;
}

/** An entry that is in a client's file. */
export interface ObservedEntry {
  readonly name: string;
  readonly value: unknown;
  /** For whom xy wrote it. Absent: xy did not. */
  readonly owner?: { readonly project: string; readonly server: string };
  /** xy wrote it, and somebody else has changed it since. */
  readonly isChanged: boolean;
}

/** One client's file as it is, and what it is to say. */
export interface ClientState {
  readonly client: ClientName;
  readonly scope: Scope;
  /** Absolute. */
  readonly file: string;
  /** The folder that the file of a project must be in. */
  readonly folder?: string;
  /** Nothing is wanted of one that is not declared any more. */
  readonly wanted: readonly WantedEntry[];
  readonly entries: readonly ObservedEntry[];
  /** What xy wrote for the project and no longer exists. */
  readonly missing: readonly { readonly name: string; readonly server: string }[];
  /** Why the file cannot be used; nothing is known of its entries then. */
  readonly fault?: string;
}

/** The difference for one entry. */
export interface EntryChange {
  readonly name: string;
  readonly server: string;
  readonly change: "add" | "update" | "remove" | "none";
  /** What differs; of what was found only what cannot be a secret is in it. */
  readonly fields: readonly FieldChange[];
  /** What the file is to say; absent for a removal. */
  readonly value?: unknown;
  /** A hash of what the file says; absent if it says nothing. */
  readonly found?: string;
  /** xy wrote it, and somebody else has changed or removed it since. */
  readonly drift?: "changed" | "removed";
  /** xy did not write it, and takes it over. */
  readonly adopted?: true;
}

/** The difference for one client's file. Nothing else in it changes. */
export interface ClientChange {
  readonly client: ClientName;
  readonly scope: Scope;
  /** Absolute. */
  readonly file: string;
  readonly folder?: string;
  /** `add`: it gets its first entries; `remove`: it loses its last ones. */
  readonly change: "add" | "update" | "remove" | "none";
  /** In name order; also those that match. */
  readonly entries: readonly EntryChange[];
  /** Names of entries that are not the project's. */
  readonly others: readonly string[];
  /** Nothing is done, and this is why. */
  readonly fault?: string;
}

/** Carries out one change of a client's file. `detail`: a clause, such as what makes the client read its file again. */
export type WriteClient = (
  change: ClientChange,
) => Promise<
  { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly message: string }
>;

/** How a client is named among servers: no server has such a name. */
export const clientLabel = (client: string): string => `client ${client}`;

/** The same without the entries of some servers. */
export function withoutServers(
  changes: readonly ClientChange[],
  isLeftOut: (server: string) => boolean,
): ClientChange[] {
  return changes.map((change) => {
    const entries = change.entries.filter(({ server }) => !isLeftOut(server));
    return { ...change, entries, change: changeOf(entries) };
  });
}

/** What happens to the file when this happens to its entries. */
export function changeOf(entries: readonly EntryChange[]): ClientChange["change"] {
  const all = (what: EntryChange["change"]) =>
    entries.length > 0 && entries.every(({ change }) => change === what);
  if (entries.every(({ change }) => change === "none")) return "none";
  if (all("add") && entries.every(({ drift }) => drift === undefined)) return "add";
  return all("remove") ? "remove" : "update";
}
