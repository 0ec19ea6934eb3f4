import { join } from "node:path";
import { readJson, writeAtomic } from "../system/files.ts";
import { ensurePrivateDir } from "../system/paths.ts";

/** Configuration programs that were evaluated before, by real path: they are not asked about again. */
const trustPath = (state: string) => join(state, "trusted.json");

export function isTrusted(state: string, file: string): boolean {
  return readTrusted(state).includes(file);
}

export function rememberTrust(state: string, file: string): void {
  if (isTrusted(state, file)) return;
  ensurePrivateDir(state);
  writeAtomic(trustPath(state), JSON.stringify([...readTrusted(state), file], null, 2));
}

function readTrusted(state: string): readonly string[] {
  try {
    const value = readJson(trustPath(state));
    return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
  } catch {
    // An unreadable list trusts nothing.
    return [];
  }
}
