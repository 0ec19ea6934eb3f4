import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SCOPES } from "../model/clients.ts";
import {
  isFolder,
  type ReadRecord,
  readBytes,
  readRecord,
  textIfFile,
  writeAtomic,
} from "../system/files.ts";
import { clientsDir, ensurePrivateDir } from "../system/paths.ts";
import { CLIENT_ROWS } from "./rows/rows.ts";
import type { ClientTarget, Value } from "./types.ts";

/**
 * What xy knows of the clients' files that it has written: nothing in such a file says whose an entry is. Each file has a
 * folder in the state folder, by its path as it was named.
 */

const value: z.ZodType<Value> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(z.string(), value)]),
);

const ownEntry = z.object({
  project: z.string(),
  server: z.string(),
  /** What xy wrote, or is about to write. */
  value: z.record(z.string(), value),
  /** What it wrote before, while a write is under way; null: nothing, so an entry that is not like `value` is not xy's. */
  was: z.record(z.string(), value).nullable().optional(),
});
export type OwnEntry = z.infer<typeof ownEntry>;

const fileRecord = z.object({
  version: z.literal(1),
  client: z.enum(Object.keys(CLIENT_ROWS) as [keyof typeof CLIENT_ROWS]),
  scope: z.enum(SCOPES),
  file: z.string(),
  folder: z.string().optional(),
  entries: z.record(z.string(), ownEntry),
  /** Absent: it has no entry of xy's. */
  origin: z
    .object({ keep: z.int(), made: z.boolean(), residue: z.string(), next: z.string().optional() })
    .optional(),
  /** Folders that were made for it, the outermost first. */
  folders: z.array(z.string()).optional(),
});
export type FileRecord = Omit<z.infer<typeof fileRecord>, "version">;

/** Without links of its own: the same file under another name is another one. */
const folderOf = (state: string, file: string) =>
  join(clientsDir(state), createHash("sha256").update(file).digest("hex").slice(0, 32));
const recordIn = (folder: string) => join(folder, "client-file.json");

export const lockOf = (state: string, file: string) => join(folderOf(state, file), "lock");

/** What is known of a file; undefined if it has nothing of xy's. */
export function readFileRecord(state: string, file: string): FileRecord | undefined {
  return read(recordIn(folderOf(state, file)));
}

function read(path: string, reading: ReadRecord = readRecord): FileRecord | undefined {
  return reading(path, (found) => fileRecord.parse(found)) as FileRecord | undefined;
}

/** All files with something of xy's, in the order of their paths. */
export function fileRecords(state: string, reading: ReadRecord = readRecord): FileRecord[] {
  const folder = clientsDir(state);
  const found = isFolder(folder) ? readdirSync(folder) : [];
  return found
    .flatMap((name) => read(recordIn(join(folder, name)), reading) ?? [])
    .filter(({ entries }) => Object.keys(entries).length > 0)
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

export const targetOfRecord = ({ client, scope, file, folder }: FileRecord): ClientTarget => ({
  client,
  scope,
  file,
  ...(folder === undefined ? {} : { folder }),
});

/** The files in which a project has entries, whether its configuration still names their clients or not. */
export function targetsOfProject(state: string, project: string): ClientTarget[] {
  return fileRecords(state)
    .filter(({ entries }) => Object.values(entries).some((entry) => entry.project === project))
    .map(targetOfRecord);
}

/** What was written for one project is another's from now on. */
export function retag(state: string, from: string, to: string): void {
  for (const record of fileRecords(state)) {
    const entries = Object.entries(record.entries);
    if (!entries.some(([, { project }]) => project === from)) continue;
    const moved = entries.map(([name, entry]) => [
      name,
      entry.project === from ? { ...entry, project: to } : entry,
    ]);
    writeFileRecord(state, { ...record, entries: Object.fromEntries(moved) });
  }
}

/** Of a file without an entry of xy's, only the backup is kept. */
export function writeFileRecord(state: string, record: FileRecord): void {
  const folder = folderOf(state, record.file);
  if (Object.keys(record.entries).length === 0) {
    for (const name of [recordIn(folder), join(folder, "original")]) rmSync(name, { force: true });
    return;
  }
  ensurePrivateDir(folder);
  writeAtomic(recordIn(folder), JSON.stringify({ version: 1, ...record }, null, 2), { durable: true });
}

/** What a file was before xy's first entry. The very first such text is kept for good. */
export function keepOriginal(state: string, file: string, bytes: Buffer | undefined): void {
  const folder = folderOf(state, file);
  ensurePrivateDir(folder);
  const original = join(folder, "original");
  if (bytes === undefined) {
    rmSync(original, { force: true });
    return;
  }
  writeAtomic(original, bytes, { durable: true });
  const first = backupOf(state, file);
  if (readBytes(first) === undefined) writeAtomic(first, bytes);
}

export const originalOf = (state: string, file: string) =>
  textIfFile(join(folderOf(state, file), "original"));

/** Where the text of a file is that xy found when it first touched it. */
export const backupOf = (state: string, file: string) => join(folderOf(state, file), "backup");
