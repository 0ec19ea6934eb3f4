import { isObject } from "../model/object.ts";
import { isSame } from "./content.ts";
import { type FileRecord, type OwnEntry, readFileRecord } from "./records.ts";
import type { ClientLook, OwnedEntry, Value } from "./types.ts";

/** The entries of a client's file, and whose each is. Nothing in the file says that: xy's record does. */
export function ownedEntries(state: string, look: ClientLook): OwnedEntry[] {
  return ownedIn(look, readFileRecord(state, look.target.file));
}

export function ownedIn(
  { entries }: Pick<ClientLook, "entries">,
  record: FileRecord | undefined,
): OwnedEntry[] {
  return entries.map((entry) => {
    const own = ownOf(record, entry.name, entry.value);
    if (own === undefined) return { ...entry, owner: undefined, isChanged: false };
    const { project, server } = own;
    return { ...entry, owner: { project, server }, isChanged: !isAsWritten(entry.value, own) };
  });
}

/** What xy wrote, and is not in the file any more. */
export function missingEntries(
  state: string,
  { target, entries }: ClientLook,
): { name: string; project: string; server: string }[] {
  const there = new Set(entries.map(({ name }) => name));
  return Object.entries(readFileRecord(state, target.file)?.entries ?? {})
    .filter(([name, { was }]) => !there.has(name) && was !== null)
    .map(([name, { project, server }]) => ({ name, project, server }));
}

/** The record of an entry, if what is found is xy's. */
export function ownOf(
  record: FileRecord | undefined,
  name: string,
  found: Value | undefined,
): OwnEntry | undefined {
  const own = record && Object.hasOwn(record.entries, name) ? record.entries[name] : undefined;
  // It was about to be written when the command died: unless it was, this is somebody else's.
  return own?.was === null && found !== undefined && !holds(found, own.value) ? undefined : own;
}

const isAsWritten = (found: Value, { value, was }: OwnEntry) =>
  holds(found, value) || (was !== undefined && was !== null && holds(found, was));

/** Fields that xy does not write are the client's, or a person's: a tool that was allowed, a server that is switched off. */
function holds(found: Value, written: Readonly<Record<string, Value>>): boolean {
  return (
    isObject(found) &&
    Object.entries(written).every(([key, each]) => Object.hasOwn(found, key) && isSame(found[key], each))
  );
}

/** What is to be written: the fields that xy wants, and those that somebody has added to what it wrote before. */
export function withOthersFields(
  wanted: Readonly<Record<string, Value>>,
  found: Value | undefined,
  own: OwnEntry | undefined,
): Readonly<Record<string, Value>> {
  if (own === undefined || !isObject(found)) return wanted;
  const isXys = (key: string) => key in own.value || (own.was != null && key in own.was) || key in wanted;
  const added = Object.entries(found as Readonly<Record<string, Value>>).filter(([key]) => !isXys(key));
  return { ...wanted, ...Object.fromEntries(added) };
}
