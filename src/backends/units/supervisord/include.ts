import { readlinkSync, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { readText } from "../../../system/files.ts";
import { wordsOf } from "../../../system/processes.ts";

/** What a supervisord reads: the patterns of its `[include]` decide which suffix our files need. */

/** The suffix that most installations read, and that xy uses if it cannot find out. */
export const USUAL_SUFFIX = ".conf";
/** Longest supervisord configuration that is read, bytes. */
const MOST_BYTES = 1024 * 1024;

/** The suffix that files in a folder need so that the supervisord of that process reads them; undefined if unknown. */
export function includedSuffix(pid: number, folder: string): string | undefined {
  for (const file of configurationsOf(pid)) {
    const text = smallText(file);
    if (text !== undefined) return suffixFor(includedIn(text, dirname(file)), folder);
  }
  return undefined;
}

/** Where its configuration may be: the file it was started with, else the usual places. */
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

/** The patterns of `[include]`, absolute, without those that contain variables only supervisord knows. */
export function includedIn(text: string, here: string): string[] {
  let section = "";
  let key = "";
  const values: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[;#]|$)/.test(line)) continue;
    const header = /^\[([^\]]*)\]/.exec(line)?.[1];
    // An indented line continues the value before it.
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

/** A suffix in the folder that one of the patterns matches, whatever comes before it. */
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
