import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { discover, userFolder } from "../config/find/discover.ts";
import { type InitChoice, type InitFormat, initFiles } from "../config/write/init.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { DEFAULT_PROJECT, fitName } from "../model/name.ts";
import { isCode } from "../system/files.ts";
import { type Environment, ensureDir } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { isSamePath } from "../system/projects.ts";
import { agreeTo } from "./consent.ts";
import { readMachine } from "./machine.ts";

/** What to begin with. */
export interface Starter extends InitChoice {
  readonly format: InitFormat;
}

export interface Started {
  readonly written: readonly string[];
  /** They were there, and were left as they are. */
  readonly kept: readonly string[];
}

/** The configuration that a folder has already; two in one root would be an error. */
export function existingConfig(folder: string): string | undefined {
  const entries = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return entries.find(
    (entry) => entry.startsWith("xy.config.") || (entry === "servers.d" && isLink(join(folder, entry))),
  );
}

/** Whatever it leads to, a file in it would be written somewhere else. */
const isLink = (path: string) => fs.lstatSync(path).isSymbolicLink();

/**
 * Writes a starter configuration into the folder, which is made when missing. Never overwrites a file. `schemas`: where
 * those for editors are; absent: they are written too.
 */
export function writeStarter(folder: string, { format, ...choice }: Starter, state: string): Started {
  const written: string[] = [];
  const kept: string[] = [];
  const isNew = !fs.existsSync(join(folder, "servers.d"));
  for (const { path, text } of initFiles(format, choice)) {
    const file = join(folder, path);
    ensureDir(dirname(file), 0o755);
    (create(file, text) ? written : kept).push(file);
  }
  // Who has just written all that is there need not be asked about it.
  if (isNew) agreeTo(state, fs.realpathSync(folder));
  return { written, kept };
}

/** The name that a project in this folder would have without saying one. */
export function projectIn(folder: string, env: Environment): string {
  return isSamePath(folder, userFolder({ env, machine: readMachine(env) }))
    ? DEFAULT_PROJECT
    : fitName(basename(folder));
}

/** Why a configuration in this folder would be refused: the folder may have been there, open to others. */
export async function problemsIn(folder: string, env: Environment): Promise<readonly Diagnostic[]> {
  const found = await discover({ cwd: folder, env, machine: readMachine(env), isPrivateGroup });
  if (!found.ok) return found.problems;
  const path = fs.realpathSync(folder);
  return found.value.folder === path ? [] : found.value.diagnostics.filter(({ file }) => file === path);
}

/** The account's own root, and how many files of a configuration are in it. None of them is read. */
export async function filesOfOwnRoot(env: Environment): Promise<{ folder: string; count: number }> {
  const machine = readMachine(env);
  const folder = userFolder({ env, machine });
  const explicit = { path: folder, from: "--config" } as const;
  const found = await discover({ cwd: folder, env, machine, isPrivateGroup, explicit });
  if (!found.ok) return { folder, count: 0 };
  const { main, servers } = found.value;
  return { folder, count: servers.length + (main === undefined ? 0 : 1) };
}

function create(file: string, text: string): boolean {
  try {
    // Without the group, whatever the umask: a configuration that others can write to is refused.
    fs.writeFileSync(file, text, { flag: "wx", mode: 0o644 });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}
