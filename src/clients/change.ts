import { setTimeout as wait } from "node:timers/promises";
import { tryLock } from "../system/lock.ts";
import { type FileWrite, removeClientFile, whyNotWritable, writeClientFile } from "./client-file.ts";
import { isSame } from "./content.ts";
import { type Edited, edit } from "./edit.ts";
import { formatOf } from "./formats/format-of.ts";
import { look as lookAt, problemIn, problemOf, rowOf } from "./look.ts";
import { ownOf, withOthersFields } from "./owned.ts";
import {
  type FileRecord,
  keepOriginal,
  lockOf,
  type OwnEntry,
  originalOf,
  readFileRecord,
  writeFileRecord,
} from "./records.ts";
import type { ClientLook, ClientWrite, Entry, Value, ValueMap } from "./types.ts";

/** An entry that is to be there. */
interface SetEntry {
  readonly name: string;
  readonly server: string;
  readonly value: ValueMap;
  /** Somebody else's of that name is taken over. */
  readonly adopt?: boolean;
}

export interface ClientChanges {
  readonly set: readonly SetEntry[];
  readonly remove: readonly string[];
}

/** How often a file is looked at again that changes while it is written. */
const TRIES = 5;
/** How long another command may have it, in steps of ms. */
const LOCKED = { steps: 100, pause: 50 };

/**
 * Changes entries of a project in a client's file: only while those entries are as `seen`, whatever else has changed since.
 * The record is written first, so that a command that dies here leaves nothing that the next one does not know.
 */
export async function changeEntries(
  state: string,
  seen: ClientLook,
  project: string,
  changes: ClientChanges,
): Promise<ClientWrite> {
  const { target } = seen;
  for (let step = 0; step < LOCKED.steps; step++) {
    const attempt = tryLock(lockOf(state, target.file));
    if (attempt.held) {
      try {
        return await changeLocked(state, seen, project, changes);
      } finally {
        attempt.lock.release();
      }
    }
    await wait(LOCKED.pause);
  }
  return { is: "refused", problem: problemOf(target, "another command of xy is writing it; try again") };
}

async function changeLocked(
  state: string,
  seen: ClientLook,
  project: string,
  changes: ClientChanges,
): Promise<ClientWrite> {
  const { target } = seen;
  for (let tries = 0; tries < TRIES; tries++) {
    const now = await lookAt(target);
    if (!now.ok) return { is: "refused", problem: now.problems[0] ?? problemOf(target, "it cannot be read") };
    if (!isAsSeen(seen, now.value, changes)) return { is: "stale" };
    const outcome = await changeOnce(state, now.value, project, changes);
    if (outcome !== "again") return outcome;
  }
  return { is: "refused", problem: problemOf(target, "it keeps changing; close the client, and try again") };
}

/** Why entries cannot be written into a file as it is now; undefined if they can, or are there. */
export async function whyNotSet(
  state: string,
  seen: ClientLook,
  set: readonly SetEntry[],
): Promise<string | undefined> {
  const { target, text } = seen;
  const record = readFileRecord(state, target.file) ?? { ...target, entries: {} };
  try {
    const edited = await editedBy(state, seen, record, { set, remove: [] });
    const isWritten = text !== undefined && edited.text !== text;
    const fault = isWritten ? whyNotWritable(target) : undefined;
    return fault && problemOf(target, fault).message;
  } catch (error) {
    return problemIn(target, text ?? "", error).message;
  }
}

/** Whether the entries that the change is about are as they were looked at. */
function isAsSeen(seen: ClientLook, now: ClientLook, { set, remove }: ClientChanges): boolean {
  const names = [...set.map(({ name }) => name), ...remove];
  return names.every((name) => isSame(valueIn(seen, name), valueIn(now, name)));
}

const valueIn = ({ entries }: ClientLook, name: string): Value | undefined =>
  entries.find((entry) => entry.name === name)?.value;

async function changeOnce(
  state: string,
  now: ClientLook,
  project: string,
  changes: ClientChanges,
): Promise<ClientWrite | "again"> {
  const { target, text } = now;
  const record = readFileRecord(state, target.file) ?? { ...target, entries: {} };
  const fault = whyNot(now, record, project, changes);
  if (fault !== undefined) return { is: "refused", problem: problemOf(target, fault) };
  let edited: Edited;
  try {
    edited = await editedBy(state, now, record, changes);
  } catch (error) {
    return { is: "refused", problem: problemIn(target, text ?? "", error) };
  }
  const after = recordAfter(record, project, changes);
  if (edited.isFirst) keepOriginal(state, target.file, text === undefined ? undefined : Buffer.from(text));
  const isNew = edited.text !== text;
  if (isNew) writeFileRecord(state, withWas(after, record, edited));
  const folders = record.folders ?? [];
  const write = writeOf(now, edited, folders);
  if (write.is === "changed") return "again";
  if (write.is === "refused") {
    writeFileRecord(state, record);
    return { is: "refused", problem: problemOf(target, write.fault) };
  }
  writeFileRecord(state, withOrigin(after, edited, [...folders, ...write.folders]));
  return { is: isNew ? "written" : "unchanged" };
}

function writeOf({ target, text, hash }: ClientLook, edited: Edited, folders: readonly string[]): FileWrite {
  if (edited.text === undefined) return removeClientFile(target, hash, folders);
  if (edited.text === text) return { is: "written", folders: [] };
  return writeClientFile(target, edited.text, hash);
}

/** The way out is the caller's to name. */
function whyNot(
  now: ClientLook,
  record: FileRecord,
  project: string,
  { set, remove }: ClientChanges,
): string | undefined {
  for (const { name, adopt } of [...set, ...remove.map((each) => ({ name: each, adopt: false }))]) {
    const found = valueIn(now, name);
    const own = ownOf(record, name, found);
    if (own !== undefined && own.project !== project) return `${name} is an entry of project ${own.project}`;
    if (own === undefined && found !== undefined && !adopt) return `${name} is somebody else's entry`;
  }
  return undefined;
}

async function editedBy(
  state: string,
  now: ClientLook,
  record: FileRecord,
  { set, remove }: ClientChanges,
): Promise<Edited> {
  const { target, shape, text } = now;
  const entries = set.flatMap(({ name, value }): Entry[] => {
    const found = valueIn(now, name);
    const wanted = withOthersFields(value, found, ownOf(record, name, found));
    return found !== undefined && isSame(found, wanted) ? [] : [{ name, value: wanted }];
  });
  const ours = Object.keys(record.entries).filter((name) => ownOf(record, name, valueIn(now, name)));
  return edit(
    {
      format: await formatOf(shape.format),
      shape,
      text,
      fresh: rowOf(target.client).fresh ?? "",
      ours,
      left: [...new Set([...ours, ...set.map(({ name }) => name)])].filter((name) => !remove.includes(name)),
      origin: record.origin,
      original: originalOf(state, target.file),
    },
    { set: entries, remove },
  );
}

function recordAfter(record: FileRecord, project: string, { set, remove }: ClientChanges): FileRecord {
  const gone = new Set(remove);
  const kept = Object.entries(record.entries).filter(([name]) => !gone.has(name));
  const added = set.map(({ name, server, value }) => [name, { project, server, value }] as const);
  return { ...record, entries: Object.fromEntries([...kept, ...added]) };
}

/** While the file is being written: what was there before is xy's, too. */
function withWas(after: FileRecord, before: FileRecord, { origin }: Edited): FileRecord {
  const entries = Object.entries(after.entries).map(([name, entry]) => {
    const old = before.entries[name];
    if (old !== undefined && isSame(old.value, entry.value) && old.was === undefined)
      return [name, old] as const;
    return [name, { ...entry, was: old?.value ?? null }] as const;
  });
  const gone = Object.entries(before.entries).filter(([name]) => !Object.hasOwn(after.entries, name));
  const still = before.origin && { ...before.origin, next: origin?.residue };
  return {
    ...after,
    entries: Object.fromEntries<OwnEntry>([...gone, ...entries]),
    ...((still ?? origin) ? { origin: still ?? origin } : {}),
  };
}

function withOrigin(
  { origin: _, folders: __, ...record }: FileRecord,
  { origin }: Edited,
  folders: readonly string[],
): FileRecord {
  if (origin === undefined) return record;
  return { ...record, origin, ...(folders.length > 0 ? { folders: [...folders] } : {}) };
}
