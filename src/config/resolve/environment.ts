import { realpathSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { fillPath, type PathFacts } from "../check/placeholders.ts";

/**
 * A path as a person wrote it, absolute: `~` is the home folder, `{host}` and its like are filled in, a relative one starts
 * at `folder`.
 */
export function expandPath(written: string, folder: string, machine: PathFacts): string {
  const { home } = machine;
  const path = fillPath(written, machine);
  if (path === "~") return home;
  if (path.startsWith("~/")) return resolve(home, path.slice(2));
  return isAbsolute(path) ? resolve(path) : followed(folder, path);
}

/**
 * A path that starts at a folder, absolute. Out of a folder that is a link, `..` leads to the folder above what the link
 * leads to, as it does for every program. It is named as a person would name it where that is the same place, or where
 * nothing is at the other.
 */
export function followed(folder: string, path: string): string {
  const named = resolve(folder, path);
  if (!path.split("/").includes("..")) return named;
  const real = realOf(isAbsolute(path) ? path : `${folder}/${path}`);
  return real === undefined || real === realOf(named) ? named : real;
}

/** Undefined when nothing is there. */
export function realOf(path: string): string | undefined {
  try {
    // The other realpath resolves `..` before it looks at links.
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** Names that a shell sets, or that would break the one between xy and the program. */
const SHELL_NAMES: ReadonlySet<string> = new Set(
  "_ BASHOPTS EUID IFS LINENO OLDPWD OPTARG OPTIND PPID PS1 PS2 PS4 PWD SHELLOPTS SHLVL UID".split(" "),
);

/** Why a server could not get a variable of this name as declared; undefined for nearly all names. */
export function nameFault(name: string): string | undefined {
  if (SHELL_NAMES.has(name) || name.startsWith("_xy_"))
    return "the shell that starts the program owns that name";
  // JavaScript has no records with a key of that name that all libraries keep.
  return name === "__proto__" ? "xy cannot record a variable of that name" : undefined;
}
