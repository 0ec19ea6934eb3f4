import { realpathSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { fillPath, type PathFacts } from "./check/placeholders.ts";

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

/** Undefined if nothing is there. */
export function realOf(path: string): string | undefined {
  try {
    // The other realpath resolves `..` before it looks at links.
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
