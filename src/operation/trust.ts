import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import {
  isFolder,
  makeWayForFolder,
  type ReadRecord,
  readJson,
  readRecord,
  writeAtomic,
} from "../system/files.ts";
import { ensurePrivateDir } from "../system/paths.ts";
import { folderId, leadsToSame, readProject, recordedProjects, rootNamed } from "../system/projects.ts";

/** Which configuration roots a person of this account has agreed to. Each has a file of its own in the state folder. */

/** Where a root is: as it was named, and really. */
export interface Origin {
  /** Absolute, its links as they are. A folder, or the file that is a configuration by itself. */
  readonly named: string;
  /** Real path of the folder. */
  readonly folder: string;
}

/** What tells a folder from another one in its place: see {@link folderId}. */
const identity = z.union([
  z.object({ inode: z.string(), born: z.string() }),
  /** Where the file system knows no time of birth. */
  z.object({ owner: z.number() }),
  /** A link leads to what belongs to root, and nobody else can write: what it leads to may change, as in a Nix store. */
  z.object({ link: z.literal("root") }),
]);
type Identity = z.infer<typeof identity>;

const agreement = z.object({
  version: z.literal(1),
  path: z.string(),
  folder: identity,
  /** All that it can execute and send, or only to have its servers started as a plan showed them. */
  to: z.enum(["all", "servers"]),
  /** Unix ms. */
  at: z.number(),
  /** What it could execute and send then. Absent if it was never shown; then nothing new is remarked on. */
  shown: z.array(z.string()).optional(),
  /** With all: its servers may also be started as a plan shows them, without a question. */
  seen: z.boolean().optional(),
});
export type Agreement = Omit<z.infer<typeof agreement>, "version">;

/** Undefined for a folder that is not there. */
export function identityOf({ named, folder }: Origin): Identity | undefined {
  const info = fs.statSync(folder, { bigint: true, throwIfNoEntry: false });
  if (info === undefined) return undefined;
  if (info.uid === 0n && (info.mode & 0o022n) === 0n && isOwnLink(named)) return { link: "root" };
  return folderId(folder) ?? { owner: Number(info.uid) };
}

/** Longest chain of links that is followed, as Linux has it. */
const MOST_LINKS = 40;

/** Whether a path is itself a link, and it and all that it leads to in turn are the account's or root's, out of reach for others. */
function isOwnLink(named: string): boolean {
  let path = named;
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = fs.lstatSync(path, { throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return link !== undefined && links > 0;
    const around = fs.statSync(dirname(path));
    const isOpen = (around.mode & 0o022) !== 0 && (around.mode & 0o1000) === 0;
    if (!isOurs(link.uid) || !isOurs(around.uid) || isOpen) return false;
    path = resolve(dirname(path), fs.readlinkSync(path));
  }
  return false;
}

const isOurs = (uid: number) => uid === 0 || uid === process.getuid?.();

export function isSameFolder(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/**
 * What was agreed to of this root, under this name or another that leads to the same place; undefined when nothing was,
 * or when another folder is there now.
 */
export function agreementOn(state: string, origin: Origin): Agreement | undefined {
  carryOver(state);
  const found = readAgreement(fileOf(state, origin.named));
  if (found && isSameFolder(found.folder, identityOf(origin))) return found;
  const others = agreements(state).filter((one) => one.isThere && leadsToSame(one.path, origin.named));
  return others.find(({ to }) => to === "all") ?? others[0];
}

/** In the order of paths. `isThere`: what was agreed to has not been replaced or removed. */
export function agreements(state: string): Kept[] {
  carryOver(state);
  return keptAgreements(state);
}

interface Kept extends Agreement {
  readonly isThere: boolean;
}

/** The same, without what an earlier version has kept in its own way. */
export function keptAgreements(state: string, reading: ReadRecord = readRecord): Kept[] {
  const names = isFolder(folderIn(state)) ? fs.readdirSync(folderIn(state)) : [];
  const found = names.filter((name) => name.endsWith(".json")).map((name) => join(folderIn(state), name));
  return found
    .flatMap((file) => readAgreement(file, reading) ?? [])
    .map((one) => {
      const folder = realFolder(one.path);
      const now = folder === undefined ? undefined : identityOf({ named: one.path, folder });
      return { ...one, isThere: isSameFolder(one.folder, now) };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function writeAgreement(state: string, given: Agreement): void {
  carryOver(state);
  writeIn(folderIn(state), state, given);
}

/** `path`: absolute, of a root or of its main file, by whatever name it goes. False when there was none. */
export function revoke(state: string, path: string): boolean {
  const root = rootNamed(path);
  const others = agreements(state).filter((one) => leadsToSame(one.path, root));
  const files = [root, ...others.map((one) => one.path)].map((name) => fileOf(state, name));
  const found = files.filter((file) => fs.existsSync(file));
  for (const file of found) fs.rmSync(file, { force: true, recursive: true });
  return found.length > 0;
}

const folderIn = (state: string) => join(state, "trust");
const nameOf = (path: string) => `${createHash("sha256").update(path).digest("hex").slice(0, 32)}.json`;
const fileOf = (state: string, path: string) => join(folderIn(state), nameOf(path));

function writeIn(folder: string, state: string, given: Agreement): void {
  ensurePrivateDir(state);
  ensurePrivateDir(folder);
  writeAtomic(join(folder, nameOf(given.path)), JSON.stringify({ version: 1, ...given }, null, 2), {
    durable: true,
  });
}

/** One that cannot be read agrees to nothing. */
function readAgreement(file: string, reading: ReadRecord = readRecord): Agreement | undefined {
  // One of a later version agrees to nothing here, and stays.
  return reading(file, (value) => agreement.safeParse(value))?.data;
}

/**
 * Earlier versions kept a list of programs, and asked about nothing else: whatever a person has applied with them, or
 * agreed to, stays agreed to. Once, at the first look at a state folder that such a version has left.
 */
function carryOver(state: string): void {
  if (fs.existsSync(state)) keepTrust(state);
}

/** Makes the folder of agreements. To be called before a project is recorded: it is no project of an earlier version. */
export function keepTrust(state: string): void {
  if (isFolder(folderIn(state))) return;
  makeWayForFolder(folderIn(state));
  ensurePrivateDir(state);
  const applied = recordedProjects(state).flatMap((project) => {
    const record = readProject(state, project);
    // This version has asked about it, whatever has become of the answer.
    return record === undefined || record.asked ? [] : [record.config];
  });
  const paths = [...applied, ...trustedPrograms(state)].map((path) => resolve(path));
  const draft = fs.mkdtempSync(join(state, "trust-"));
  for (const path of new Set(paths.map(rootNamed))) {
    const folder = realFolder(path);
    const found = folder === undefined ? undefined : identityOf({ named: path, folder });
    if (found) writeIn(draft, state, { path, folder: found, to: "all", seen: true, at: Date.now() });
  }
  try {
    fs.renameSync(draft, folderIn(state));
  } catch {
    // Another command has carried it over in between.
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

function realFolder(path: string): string | undefined {
  try {
    const real = fs.realpathSync(path);
    return fs.statSync(real).isDirectory() ? real : fs.realpathSync(dirname(path));
  } catch {
    return undefined;
  }
}

function trustedPrograms(state: string): readonly string[] {
  try {
    const value = readJson(join(state, "trusted.json"));
    return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
  } catch {
    return [];
  }
}
