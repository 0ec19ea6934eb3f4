import * as fs from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { baseFolder } from "../model/base-folder.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { type Environment, knownHome } from "../system/paths.ts";
import { rootNamed } from "../system/projects.ts";
import { above, type Budget, real } from "./budget.ts";

/** Which configuration is meant, by what its files are called: none of them is opened. */

/** What the shell says of where a word is typed. */
export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
}

const MAINS = ["ts", "mts", "cts", "js", "mjs", "cjs", "kdl", "yaml", "yml", "json"].map(
  (end) => `xy.config.${end}`,
);
const SERVER = /\.(kdl|ya?ml|json)$/;

/** Real path of the folder, or of the file that is a configuration by itself; undefined: there is none. */
export function rootHere(config: string | undefined, { env, cwd }: Surroundings): string | undefined {
  const home = knownHome(env);
  const named = config ?? env.XY_CONFIG;
  // The shell expands this only once the line is typed.
  if (named)
    return rootNamed(
      real(
        resolve(
          cwd,
          named.replace(/^~(?=\/|$)/, () => home ?? "~"),
        ),
      ),
    );
  const top = home === undefined ? undefined : real(home);
  for (let folder: string | undefined = real(cwd); folder !== undefined; folder = above(folder)) {
    if (isRoot(folder)) return folder;
    if (folder === top) break;
  }
  const base = baseFolder(env, "XDG_CONFIG_HOME") ?? (home === undefined ? undefined : join(home, ".config"));
  const own = base === undefined ? undefined : join(base, "xy");
  return own !== undefined && isRoot(own) ? real(own) : undefined;
}

/** Others' folders are passed over, as by every command. */
function isRoot(folder: string): boolean {
  const found = ["servers.d", ...MAINS].some((name) => statAt(join(folder, name)) !== undefined);
  const owner = found ? statAt(folder)?.uid : undefined;
  return owner !== undefined && (owner === 0 || owner === process.getuid?.());
}

function statAt(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Servers that have a file of their own in the root. */
export function declaredIn(root: string, budget: Budget): string[] {
  const files = budget.names(join(root, "servers.d")).filter((name) => SERVER.test(name));
  return files.map((name) => basename(name, extname(name))).filter((name) => NAME_PATTERN.test(name));
}

/** Whether a project's record is about this root. */
export function isRecordOf(record: unknown, root: string): boolean {
  if (typeof record !== "object" || record === null) return false;
  const { config, root: folder, place } = record as Readonly<Record<string, unknown>>;
  if (typeof config === "string" && real(rootNamed(config)) === root) return true;
  // A file that is a configuration by itself has a folder with others.
  const isWhole = typeof config !== "string" || statAt(config)?.isFile() !== true || isMain(config);
  return isWhole && (place ?? folder) === root;
}

const isMain = (path: string) => MAINS.includes(basename(path)) && dirname(path) !== path;
