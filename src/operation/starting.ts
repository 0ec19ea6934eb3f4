import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { type InitFormat, initFiles } from "../config/init.ts";
import { isCode } from "../system/files.ts";
import { ensureDir } from "../system/paths.ts";
import { rememberTrust } from "./trust.ts";

export interface Started {
  readonly written: readonly string[];
  /** They were there, and were left as they are. */
  readonly kept: readonly string[];
}

/** The configuration that a folder has already; two in one root would be an error. */
export function existingConfig(folder: string): string | undefined {
  const entries = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return entries.find((entry) => entry.startsWith("xy.config."));
}

/** Writes a starter configuration into the folder, which is made when missing. Never overwrites a file. */
export function writeStarter(folder: string, format: InitFormat, state: string): Started {
  const written: string[] = [];
  const kept: string[] = [];
  for (const { path, text } of initFiles(format)) {
    const file = join(folder, path);
    ensureDir(dirname(file));
    (create(file, text) ? written : kept).push(file);
  }
  // Who has just written a program need not be asked whether it may be evaluated.
  const program = written.find((file) => basename(file) === "xy.config.ts");
  if (program) rememberTrust(state, fs.realpathSync(program));
  return { written, kept };
}

function create(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}
