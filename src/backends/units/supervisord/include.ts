import { readlinkSync, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { readText } from "../../../system/files.ts";
import { wordsOf } from "../../../system/processes.ts";

/** What a supervisord reads: its `[include]` names the files, and so how ours have to end. */

/** The end of files that most set-ups read, and that xy writes where nothing else is known. */
export const USUAL_SUFFIX = ".conf";
/** Longest configuration of a supervisord that is looked at, bytes. */
const MOST_BYTES = 1024 * 1024;

/** How the files in a folder have to end for the supervisord of that process; undefined where that cannot be told. */
export function includedSuffix(pid: number, folder: string): string | undefined {
  for (const file of configurationsOf(pid)) {
    const text = smallText(file);
    if (text !== undefined) return suffixFor(includedIn(text, dirname(file)), folder);
  }
  return undefined;
}

/** Where its configuration may be: the file that it was started with, else where it looks by itself. */
function configurationsOf(pid: number): string[] {
  const words = wordsOf(pid);
  const cwd = workingFolder(pid);
  const i = words.findIndex((word) => word === "-c" || word === "--configuration");
  const joined = words.flatMap((word) => /^(?:--configuration=|-c(?=.))(.*)$/.exec(word)?.[1] ?? []);
  const named = i >= 0 ? words[i + 1] : joined[0];
  const found = named === undefined ? USUAL_PLACES : [named];
  return found.flatMap((file) => (isAbsolute(file) ? [file] : cwd === undefined ? [] : [resolve(cwd, file)]));
}

const USUAL_PLACES = [
  "supervisord.conf",
  "etc/supervisord.conf",
  "/etc/supervisord.conf",
  "/etc/supervisor/supervisord.conf",
];

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function smallText(file: string): string | undefined {
  try {
    const info = statSync(file);
    return info.isFile() && info.size <= MOST_BYTES ? readText(file) : undefined;
  } catch {
    return undefined;
  }
}

/** The patterns of `[include]`, absolute: those without anything that only supervisord itself can fill in. */
export function includedIn(text: string, here: string): string[] {
  let section = "";
  let key = "";
  const values: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[;#]|$)/.test(line)) continue;
    const header = /^\[([^\]]*)\]/.exec(line)?.[1];
    // A line that is indented goes on with the value before it.
    const [, name, value] = /^([^\s=:][^=:]*)[=:](.*)$/.exec(line) ?? [];
    if (header !== undefined) [section, key] = [header.trim(), ""];
    else if (name !== undefined) key = name.trim().toLowerCase();
    const text = name === undefined && header === undefined ? line : value;
    if (section === "include" && key === "files" && text !== undefined)
      values.push(...(text.replace(/\s;.*$/, "").match(/\S+/g) ?? []));
  }
  return values
    .map((pattern) => pattern.replaceAll("%(here)s", here).replaceAll("%(host_node_name)s", hostname()))
    .filter((pattern) => !pattern.includes("%("))
    .map((pattern) => resolve(here, pattern));
}

/** How a file in the folder ends that one of the patterns matches, whatever its name begins with. */
export function suffixFor(patterns: readonly string[], folder: string): string | undefined {
  const suffixes = patterns
    .filter((pattern) => isSame(dirname(pattern), folder))
    .flatMap((pattern) => /\/\*([^/*?[\]]*)$/.exec(pattern)?.[1] ?? []);
  return suffixes.some((suffix) => USUAL_SUFFIX.endsWith(suffix)) ? USUAL_SUFFIX : suffixes[0];
}

function isSame(one: string, other: string): boolean {
  const real = (path: string) => {
    try {
      return realpathSync(path);
    } catch {
      return join(path);
    }
  };
  return real(one) === real(other);
}
