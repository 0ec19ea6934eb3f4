import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { nearest } from "../../model/nearest.ts";
import { DATA_EXTENSIONS } from "../read/data.ts";
import { PROGRAM_EXTENSIONS } from "../read/document.ts";

/** Reports files and folders that look like configuration but are not read, so that nobody waits for them to work. */

/** Extensions of other formats for settings. Others (scripts, notes, keys, editors' leftovers) are ignored. */
const OTHER_FORMATS: ReadonlySet<string> = new Set(
  ".toml .json5 .jsonc .hjson .ini .conf .cfg .cnf .properties .xml .plist .service .hcl .cue .nix .tsx .jsx".split(
    " ",
  ),
);

/** What editors and people leave beside a file. */
const BACKUP =
  /~$|^#.*#$|\.(?:swp|swo|swn|bak|backup|old|orig|rej|save|tmp|disabled|off|example|sample|dist)$/i;

function looksLikeOne(name: string): boolean {
  if (name.startsWith(".") || BACKUP.test(name)) return false;
  const extension = extname(name).toLowerCase();
  return OTHER_FORMATS.has(extension) || DATA_EXTENSIONS.includes(extension) || isSlip(extension);
}

/** Such as `.ymal`. */
function isSlip(extension: string): boolean {
  const longer = DATA_EXTENSIONS.filter(({ length }) => length > 4);
  return extension.length > 4 && nearest(extension, longer) !== undefined;
}

const ignored = (file: string, message: string): Diagnostic => ({
  severity: "warning",
  file,
  message: `ignored this ${message}`,
});

/** A file such as `xy.config.toml`. `names`: of all that is in the folder. */
export function unreadMains(folder: string, names: readonly string[]): Diagnostic[] {
  const known = [...PROGRAM_EXTENSIONS, ...DATA_EXTENSIONS];
  const isUnread = (name: string) =>
    basename(name, extname(name)) === "xy.config" && !known.includes(extname(name)) && !BACKUP.test(name);
  const wayOut = `a configuration is named xy.config${known.join(", ")}`;
  return names.filter(isUnread).map((name) => ignored(join(folder, name), `file: ${wayOut}`));
}

/** Files of other formats in `servers.d`, and folders there. `names`: of all that is in it and is not read. */
export async function unreadServers(folder: string, names: readonly string[]): Promise<Diagnostic[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const info = await stat(file).catch(() => undefined);
      if (info?.isDirectory()) return (await hasOne(file)) ? [ignored(file, FOLDER)] : [];
      if (PROGRAM_EXTENSIONS.includes(extname(name))) return [ignored(file, PROGRAM)];
      return looksLikeOne(name) ? [ignored(file, OTHER)] : [];
    }),
  );
  return found.flat();
}

/** In the account's own root: the folder in which other supervisors of MCP servers have a file for each. */
export async function olderServers(root: string): Promise<Diagnostic[]> {
  const folder = join(root, "servers");
  return (await hasOne(folder)) ? [ignored(folder, OLDER)] : [];
}

/** A folder with a server's own files is no mistake. */
async function hasOne(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => looksLikeOne(name) && !/^(?:package|tsconfig|package-lock)\.json$/.test(name));
}

const PROGRAM =
  "file: a server in servers.d is written in KDL, YAML or JSON; TypeScript goes into xy.config.ts";
const OTHER = `file: a server in servers.d is written in KDL, YAML or JSON, in a file that ends with ${DATA_EXTENSIONS.join(", ")}`;
const OLDER = "folder: xy reads server files from servers.d, beside it; move them there";
const FOLDER = "folder: server files must be directly in servers.d; move them there";
