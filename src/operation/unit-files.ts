import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readText, writeAtomic } from "../system/files.ts";

export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

export interface WrittenFiles {
  readonly written: readonly string[];
  /** They had that text already. */
  readonly unchanged: readonly string[];
}

/** Those of the files that are there and that xy has not written. */
export function foreignFiles(
  folder: string,
  files: readonly UnitFile[],
  isOurs: (text: string) => boolean,
): string[] {
  return files
    .map(({ name }) => join(folder, name))
    .filter((path) => {
      const text = readText(path);
      return text !== undefined && !isOurs(text);
    });
}

/** Writes each file whole or not at all; the folder is made. Units hold no secrets, so everybody may read them. */
export function writeUnits(folder: string, files: readonly UnitFile[]): WrittenFiles {
  mkdirSync(folder, { recursive: true });
  const changed = files.filter(({ name, text }) => readText(join(folder, name)) !== text);
  for (const { name, text } of changed) writeAtomic(join(folder, name), text, { mode: 0o644 });
  const paths = (some: readonly UnitFile[]) => some.map(({ name }) => join(folder, name));
  return { written: paths(changed), unchanged: paths(files.filter((file) => !changed.includes(file))) };
}
