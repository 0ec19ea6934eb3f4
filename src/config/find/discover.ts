import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { baseFolder } from "../../model/base-folder.ts";
import type { Diagnostic, Result } from "../../model/diagnostic.ts";
import type { Machine } from "../../model/machine.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { problemAt } from "../check/keys.ts";
import { followed } from "../paths.ts";
import { DATA_EXTENSIONS } from "../read/data.ts";
import { PROGRAM_EXTENSIONS, readFailure } from "../read/document.ts";
import { type Owner, type Standing, standingOf, standingOfFile } from "./ownership.ts";
import { olderServers, unreadMains, unreadServers } from "./unread.ts";

/** Where to look for a configuration. */
export interface Search {
  /** Absolute working folder, as it was typed where that is known. */
  readonly cwd: string;
  /** By which name a root goes that was typed so; it leads to the same place. Absent: by the one that was typed. */
  readonly nameOf?: (typed: string) => string;
  /** What a person named: it is then not looked for. */
  readonly explicit?: { readonly path: string; readonly from: "--config" | "XY_CONFIG" };
  readonly machine: Pick<Machine, "home" | "uid">;
  readonly isPrivateGroup?: Owner["isPrivateGroup"];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A configuration root and its files, none of them read yet. */
export interface Root {
  /** Real path. */
  readonly folder: string;
  /** The folder, or the file that is a configuration by itself, by the name that it goes by: absolute, its links as they are. */
  readonly named: string;
  /** The folder by that name: what is in it, and every path that starts there, goes by it too. */
  readonly path: string;
  /** What `--config` has to be to find it again: where a folder has several main files, the one that was named. */
  readonly config: string;
  readonly how: "named" | "walked" | "default";
  /** `xy.config.*` */
  readonly main?: string;
  /** The files of `servers.d`, with the server's name: the file's stem. */
  readonly servers: readonly { readonly name: string; readonly file: string }[];
  /** Errors that leave the other files readable, and warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a file is a program, which can do anything once it is evaluated. */
export function isProgram(file: string): boolean {
  return PROGRAM_EXTENSIONS.includes(extname(file));
}

const EXTENSIONS = [...PROGRAM_EXTENSIONS, ...DATA_EXTENSIONS];
const isMain = (file: string) =>
  basename(file, extname(file)) === "xy.config" && EXTENSIONS.includes(extname(file));

/** A root, or why there is none. `unsafe`: there is one, and no other may be taken in its place. `missing`: there is none. */
export type Discovery = Result<Root> & { readonly unsafe?: true; readonly missing?: true };

/**
 * Finds the configuration root: the named one, else the nearest at or above the working folder, else the user's. One of
 * another account is skipped. One of ours that others can write to ends the search: what is further up, or the user's
 * own, is another project.
 */
export async function discover(search: Search): Promise<Discovery> {
  const owner = ownerOf(search);
  if (search.explicit) return named(search.explicit, search, owner);
  const skipped: Diagnostic[] = [];
  for (const folder of await foldersUpwards(search)) {
    const names = await configNames(folder);
    if (names.length === 0) {
      skipped.push(...unreadMains(folder, await readdir(folder).catch(() => [])));
      continue;
    }
    const standing = await standingOf(folder, names, owner);
    if (standing.is === "unsafe") return unsafe(folder, standing);
    if (standing.is === "ours") return rootAt(await typedAs(folder, search), "walked", skipped, search);
    skipped.push({
      severity: "warning",
      file: folder,
      message: `skipped this configuration: ${standing.reason}; to use it, copy it into a folder of your own`,
    });
  }
  const own = userFolder(search);
  const names = await configNames(own);
  skipped.push(...(await olderServers(own)));
  if (names.length > 0) return safeRootAt(own, names, "default", skipped, owner, search);
  const passed = skipped
    .map(({ file, message }) => `; ${message.replace(/this (?:configuration|file|folder)/, () => `${file}`)}`)
    .join("");
  const message = `cannot find a configuration: no xy.config.* or servers.d at or above ${search.cwd}, nor in ${own}; run "xy init", or name one with --config${passed}`;
  return { ok: false, problems: [{ severity: "error", message }], missing: true };
}

/** Each group is looked up once, even if many files belong to it. */
export function ownerOf({ machine, isPrivateGroup }: Search): Owner {
  const known = new Map<number, boolean>();
  const once = (gid: number) => {
    const answer = known.get(gid) ?? isPrivateGroup?.(gid) ?? false;
    known.set(gid, answer);
    return answer;
  };
  return { uid: machine.uid, isPrivateGroup: once };
}

function unsafe(file: string, { problem }: Extract<Standing, { is: "unsafe" }>): Discovery {
  return { ...failure(file, `cannot use this configuration: ${problem}`), unsafe: true };
}

/** What was not found by walking is meant, and nothing else is taken in its place. */
function anothers(file: string, reason: string): Discovery {
  const message = `cannot use this configuration: ${reason}, which could change what runs here; copy it into a folder of your own`;
  return { ...failure(file, message), unsafe: true };
}

/** A root that was not found by walking. */
async function safeRootAt(
  folder: string,
  names: readonly string[],
  how: "named" | "default",
  skipped: readonly Diagnostic[],
  owner: Owner,
  search: Search,
  main?: string,
): Promise<Discovery> {
  const standing = await standingOf(folder, names, { ...owner, isNamed: true });
  if (standing.is === "another's") return anothers(folder, standing.reason);
  return standing.is === "unsafe" ? unsafe(folder, standing) : rootAt(folder, how, skipped, search, main);
}

/** `$XDG_CONFIG_HOME/xy`, else `~/.config/xy`. */
export function userFolder({ env, machine }: Pick<Search, "env" | "machine">): string {
  return join(baseFolder(env, "XDG_CONFIG_HOME") ?? join(machine.home, ".config"), "xy");
}

async function named(
  { path, from }: NonNullable<Search["explicit"]>,
  search: Search,
  owner: Owner,
): Promise<Discovery> {
  const absolute = followed(search.cwd, path);
  const whole = async (folder: string, main?: string) =>
    safeRootAt(folder, await configNames(folder), "named", [], owner, search, main);
  try {
    const info = await stat(absolute);
    if (info.isDirectory()) return await whole(absolute);
    if (!EXTENSIONS.includes(extname(absolute))) {
      return failure(
        absolute,
        `cannot use this file as a configuration: name one that ends with ${EXTENSIONS.join(", ")}`,
      );
    }
    if (isMain(absolute)) return await whole(dirname(absolute), absolute);
    if (basename(dirname(absolute)) === "servers.d") return oneServer(absolute);
    const standing = await standingOfFile(absolute, owner);
    if (standing.is === "another's") return anothers(absolute, standing.reason);
    if (standing.is === "unsafe") return unsafe(absolute, standing);
    const file = search.nameOf?.(absolute) ?? absolute;
    const place = { folder: await realpath(dirname(file)), named: file, path: dirname(file), config: file };
    return {
      ok: true,
      value: { ...place, how: "named", main: file, servers: [], diagnostics: [] },
      warnings: [],
    };
  } catch (error) {
    const message = `cannot read the configuration that ${from} names: ${readFailure(error)}`;
    const isThere = (error as NodeJS.ErrnoException).code !== "ENOENT";
    return { ...failure(absolute, message), ...(!isThere && { missing: true }) };
  }
}

function oneServer(file: string): Discovery {
  const root = dirname(dirname(file));
  const message = `cannot use this file as a configuration: it describes one server of the configuration in ${root}; name that folder, or run "xy check" with this file`;
  return failure(file, message);
}

const failure = (file: string, message: string): Extract<Result<never>, { ok: false }> => ({
  ok: false,
  problems: [problemAt({ file }, message)],
});

/** The working folder and those above it, no higher than the home folder. */
async function foldersUpwards({ cwd, machine }: Search): Promise<string[]> {
  const real = (path: string) => realpath(path).catch(() => path);
  const home = await real(machine.home);
  const folders: string[] = [];
  for (let folder = await real(cwd); ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === home || folder === dirname(folder)) return folders;
  }
}

/** The working folder as it was typed, or one above it, where that leads to this one. */
async function typedAs(folder: string, { cwd }: Pick<Search, "cwd">): Promise<string> {
  for (let typed = cwd; ; typed = dirname(typed)) {
    if ((await realpath(typed).catch(() => undefined)) === folder) return typed;
    if (typed === dirname(typed)) return folder;
  }
}

/** What makes a folder a configuration root: `xy.config.*` and `servers.d`. */
async function configNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name === "servers.d" || isMain(name));
}

async function rootAt(
  typed: string,
  how: Root["how"],
  skipped: readonly Diagnostic[],
  { nameOf }: Pick<Search, "nameOf">,
  main?: string,
): Promise<Discovery> {
  const path = nameOf?.(typed) ?? typed;
  const problems: Diagnostic[] = [];
  const all = await listed(path, problems);
  const mains = all.filter((entry) => isMain(entry.name)).map((entry) => join(path, entry.name));
  const chosen = main ? join(path, basename(main)) : mains.length > 1 ? undefined : mains[0];
  if (mains.length > 1 && !main) {
    problems.push(
      problemAt({ file: path }, `cannot choose between ${mains.join(" and ")}: keep one of them`),
    );
  }
  const entries = (await serverEntries(path, problems)).filter((entry) => !entry.name.startsWith("."));
  const files = entries.filter((entry) => DATA_EXTENSIONS.includes(extname(entry.name)));
  const rest = entries.filter((entry) => !files.includes(entry)).map(({ name }) => name);
  const diagnostics = [
    ...skipped,
    ...problems,
    ...unreadMains(
      path,
      all.map(({ name }) => name),
    ),
    ...(await unreadServers(join(path, "servers.d"), rest)),
  ];
  if (problems.length === 0 && !chosen && !(await configNames(path)).includes("servers.d")) {
    const none = failure(path, 'cannot find xy.config.* or servers.d in this folder: run "xy init" there');
    return { ...none, problems: [...none.problems, ...diagnostics], missing: true };
  }
  const servers = files.map(({ name }) => ({
    name: basename(name, extname(name)),
    file: join(path, "servers.d", name),
  }));
  const config = main && mains.length > 1 ? join(path, basename(main)) : path;
  const place = { folder: await realpath(path), named: path, path, config };
  return {
    ok: true,
    value: { ...place, how, ...withoutUndefined({ main: chosen }), servers, diagnostics },
    warnings: [],
  };
}

async function serverEntries(folder: string, problems: Diagnostic[]): Promise<Dirent[]> {
  const path = join(folder, "servers.d");
  const exists = (await configNames(folder)).includes("servers.d");
  return exists ? listed(path, problems) : [];
}

/** In name order. */
async function listed(folder: string, problems: Diagnostic[]): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    problems.push(problemAt({ file: folder }, `cannot list this folder: ${readFailure(error)}`));
    return [];
  }
}
