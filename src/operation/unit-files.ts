import { lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isCode, textIfFile, writeAtomic } from "../system/files.ts";

/** A folder of units that is committed: how it differs from what is declared, and how it is made the same. */

export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** What is in a folder, beside the units that belong there. Absolute paths, in order of names. */
export interface UnitFolder {
  readonly missing: readonly string[];
  readonly differing: readonly string[];
  /** They have that text already. */
  readonly unchanged: readonly string[];
  /** Units of servers that are declared no more. */
  readonly stale: readonly string[];
  /** What must not be written over, and why, as a clause. */
  readonly refused: readonly { readonly file: string; readonly why: string }[];
}

interface Look {
  /** Whether xy has written a text. */
  readonly isOurs: (text: string) => boolean;
  /** Whether a file of that name would be the unit of a server that is declared no more. */
  readonly isStale: (name: string) => boolean;
  /** What others have written may be written over. */
  readonly force: boolean;
}

/** Writes nothing. */
export function lookAtUnits(
  folder: string,
  files: readonly UnitFile[],
  { isOurs, isStale, force }: Look,
): UnitFolder {
  const found = files.map((file) => ({ path: join(folder, file.name), ...stateOf(folder, file) }));
  const refused = found.flatMap(({ path, text, lost }) => {
    if (lost !== undefined) return [{ file: path, why: `it is a link to ${lost}, which is not there` }];
    const isForeign = text !== undefined && !isOurs(text) && !force;
    return isForeign ? [{ file: path, why: "xy has not written it" }] : [];
  });
  const paths = (isSo: (one: (typeof found)[number]) => boolean) =>
    found
      .filter((one) => isSo(one) && !refused.some(({ file }) => file === one.path))
      .map(({ path }) => path);
  return {
    missing: paths(({ text }) => text === undefined),
    differing: paths(({ text, wanted }) => text !== undefined && text !== wanted),
    unchanged: paths(({ text, wanted }) => text === wanted),
    stale: namesIn(folder)
      .filter((name) => isStale(name) && isOurs(textIfFile(join(folder, name)) ?? ""))
      .map((name) => join(folder, name)),
    refused,
  };
}

/**
 * Writes what is missing or differs, each file whole or not at all; the folder is made. Through a link its target is
 * written. Units hold no secrets, so everybody may read them.
 */
export function writeUnits(
  folder: string,
  files: readonly UnitFile[],
  { missing, differing }: Pick<UnitFolder, "missing" | "differing">,
): string[] {
  mkdirSync(folder, { recursive: true });
  const changed = new Set([...missing, ...differing]);
  return files.flatMap(({ name, text }) => {
    const path = join(folder, name);
    if (!changed.has(path)) return [];
    writeAtomic(isLink(path) ? realpathSync(path) : path, text, { mode: 0o644 });
    return [path];
  });
}

/** With what a link leads to. */
export function removeUnits(paths: readonly string[]): void {
  for (const path of paths) {
    if (isLink(path)) rmSync(realpathSync(path), { force: true });
    rmSync(path, { force: true });
  }
}

/** `lost`: where a link leads to that leads to nothing. */
function stateOf(folder: string, { name, text: wanted }: UnitFile) {
  const path = join(folder, name);
  const text = textIfFile(path);
  return { wanted, text, lost: text === undefined && isLink(path) ? readlinkSync(path) : undefined };
}

/** Undefined where no file is, also where a link leads nowhere: the folder is the person's own. */

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}
