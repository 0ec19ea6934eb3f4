import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { systemPath } from "../../model/given-env.ts";
import type { Machine } from "../../model/machine.ts";

export type ProgramSearch =
  /** `folder`: where it is, for PATH. `words`: what is to be said to it before its arguments. */
  | {
      readonly kind: "found";
      readonly program: string;
      readonly folder?: string;
      readonly words?: readonly string[];
    }
  /** `absent`: nothing of that name is there. `everywhere`: it cannot be a program on any machine. */
  | {
      readonly kind: "missing";
      readonly message: string;
      readonly absent?: true;
      readonly everywhere?: true;
    };

/** Finds a program by its absolute path. */
export async function programAt(path: string, written: string): Promise<ProgramSearch> {
  const fault = await executableFault(path);
  if (fault === undefined) return { kind: "found", program: path, folder: dirname(path) };
  const absent = fault === NOT_THERE ? { absent: true as const } : {};
  return { kind: "missing", message: `cannot run ${JSON.stringify(written)}: ${path} ${fault}`, ...absent };
}

/** Why each path cannot be run; undefined if it can. A path that was checked for one server is not checked again. */
export type ProgramFaults = Map<string, string | undefined>;

/** Finds a program by its bare name in the folders, in their order. */
export async function programOn(
  folders: readonly string[],
  name: string,
  faults: ProgramFaults = new Map(),
): Promise<ProgramSearch> {
  let almost: string | undefined;
  for (const folder of folders) {
    const path = join(folder, name);
    const fault = faults.has(path) ? faults.get(path) : await executableFault(path);
    faults.set(path, fault);
    if (fault === undefined) return { kind: "found", program: path, folder };
    if (fault !== NOT_THERE) almost ??= `${path} ${fault}`;
  }
  const found =
    almost ?? 'it is not in the service PATH; install it, add its folder to "path", or write its full path';
  const absent = almost === undefined ? { absent: true as const } : {};
  return { kind: "missing", message: `cannot find the program ${JSON.stringify(name)}: ${found}`, ...absent };
}

/** Absolute folders of a PATH; the others depend on where a shell stands. */
export function pathFolders(path: string | undefined): string[] {
  return (path ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
}

/**
 * The folders of the PATH that xy was called with. What is only there for one shell, and gone with it, such as the link
 * that fnm makes for each, stands for where it leads: so two shells find the same. The names of the files in it stay,
 * as a program looks for others beside itself. Other links stay too: whoever made those may lead them elsewhere.
 */
function callersFolders({ PATH, XDG_RUNTIME_DIR }: Readonly<Record<string, string | undefined>>) {
  const runtime = XDG_RUNTIME_DIR?.startsWith("/") ? `${XDG_RUNTIME_DIR}/` : undefined;
  const isOfOneShell = (folder: string) =>
    OF_ONE_SHELL.test(folder) || (runtime !== undefined && folder.startsWith(runtime));
  return Promise.all(
    pathFolders(PATH).map((folder) => (isOfOneShell(folder) ? realpath(folder).catch(() => folder) : folder)),
  );
}

interface Search {
  /** The PATH that is declared for the program itself. */
  readonly own: string | undefined;
  /** The folders of the configuration's `path`. */
  readonly path: readonly string[];
  readonly machine: Pick<Machine, "os" | "home">;
}

/** Where a program is looked for that is written without a path, in this order, except in the caller's folders. */
export function declaredFolders({ own, path, machine }: Search): string[] {
  return [...pathFolders(own), ...path, ...systemPath(machine)];
}

/** As {@link declaredFolders}, and then in the folders of the PATH that xy was called with. */
export async function searchedFolders(
  search: Search,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  return [...new Set([...declaredFolders(search), ...(await callersFolders(env))])];
}

const OF_ONE_SHELL = /\/fnm_multishells\/|^\/run\/user\/\d+\//;

/** Folders in which managers of versions keep programs, and the names of their folders of shims. */
const VERSION_MANAGERS: readonly {
  readonly name: string;
  readonly folder: RegExp;
  readonly shims?: RegExp;
}[] = [
  { name: "nvm", folder: /\/\.?nvm\/versions\// },
  { name: "fnm", folder: /\/\.?fnm\/node-versions\/|\/fnm_multishells\// },
  { name: "volta", folder: /\/\.volta\/tools\/image\//, shims: /\/\.volta\/bin\// },
  { name: "asdf", folder: /\/\.?asdf\/installs\//, shims: /\/\.?asdf\/shims\// },
  { name: "mise", folder: /\/mise\/installs\//, shims: /\/mise\/shims\// },
  { name: "pyenv", folder: /\/\.?pyenv\/versions\//, shims: /\/\.?pyenv\/shims\// },
];

/** The manager of versions whose program this is; undefined for others. */
export const versionManagerOf = (program: string): string | undefined =>
  VERSION_MANAGERS.find(({ folder, shims }) => folder.test(program) || shims?.test(program))?.name;

/** Whether a folder is there for one shell, and gone with it. */
export const isOfOneShell = (path: string): boolean => OF_ONE_SHELL.test(path);

/** What is to be known of a program that a manager of versions brought; undefined for others. */
export function versionManagerRemark(command: string, program: string): string | undefined {
  const found = `the program ${JSON.stringify(command)} is ${program}`;
  for (const { name, folder, shims } of VERSION_MANAGERS) {
    if (folder.test(program))
      return `${found}: ${name} removes it together with that version; use a path that stays, or apply again after an upgrade`;
    if (shims?.test(program))
      return `${found}: a shim of ${name}, which picks a version from the working folder and from variables that may be set only in your shell; name the program itself`;
  }
  return undefined;
}

const NOT_THERE = "does not exist; correct the path";

async function executableFault(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) return "is a folder; name a program in it";
    if (!info.isFile()) return "is not a file; correct the path";
    await access(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return NOT_THERE;
    return code === "EACCES"
      ? `is not executable; run "chmod +x ${path}"`
      : `cannot be checked (${code}); look at its permissions`;
  }
}
