import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
/** Kept from one run to the next. */
const KEPT = join(ROOT, "node_modules/.cache/xy-programs");
const BUNDLE = join(import.meta.dirname, "bundle.mjs");

const made = new Map<string, string>();

/** A program, with all that it imports, in one file, which is made when there is none. */
export function bundled(program: string): string {
  const known = made.get(program);
  if (known !== undefined) return known;
  // Its package is in its name: tests find its processes by that.
  const name = relative(ROOT, program)
    .replace(/^node_modules\/|\.m?js$/g, "")
    .replaceAll("/", "+");
  const file = join(KEPT, `${name}-${versionOf(program)}.mjs`);
  if (!existsSync(file)) execFileSync(process.execPath, [BUNDLE, program, file], { cwd: ROOT });
  made.set(program, file);
  return file;
}

/** Another one for each content of what goes into it: packages as they are locked, and what stands beside it. */
function versionOf(program: string): string {
  const hash = createHash("sha256").update(program);
  const folder = dirname(program);
  const isPackage = folder.includes("/node_modules/");
  const beside = isPackage ? [] : readdirSync(folder).filter((name) => name.endsWith(".mjs"));
  const own = beside.map((name) => join(folder, name));
  for (const file of [join(ROOT, "package-lock.json"), BUNDLE, ...own]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}
