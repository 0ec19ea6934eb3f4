import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

export type ProgramSearch =
  /** `folder`: where it is, for PATH. */
  | { readonly kind: "found"; readonly program: string; readonly folder: string }
  | { readonly kind: "missing"; readonly message: string };

/** Finds a program that is given as an absolute path. */
export async function programAt(path: string, written: string): Promise<ProgramSearch> {
  const fault = await executableFault(path);
  if (fault === undefined) return { kind: "found", program: path, folder: dirname(path) };
  return { kind: "missing", message: `cannot run ${JSON.stringify(written)}: ${path} ${fault}` };
}

/** Finds a program by its bare name in the folders, in their order. */
export async function programOn(folders: readonly string[], name: string): Promise<ProgramSearch> {
  let almost: string | undefined;
  for (const folder of folders) {
    const path = join(folder, name);
    const fault = await executableFault(path);
    if (fault === undefined) return { kind: "found", program: path, folder };
    if (fault !== NOT_THERE) almost ??= `${path} ${fault}`;
  }
  const found =
    almost ??
    'it is in no folder of the service PATH; install it, add its folder to "path", or write the whole path';
  return { kind: "missing", message: `cannot find the program ${JSON.stringify(name)}: ${found}` };
}

/** Absolute folders of a PATH; the others depend on where a shell stands. */
export function pathFolders(path: string | undefined): string[] {
  return (path ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
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
    if (code === "ENOENT" || code === "ENOTDIR") return NOT_THERE;
    return code === "EACCES"
      ? `is not executable; run "chmod +x ${path}"`
      : `cannot be looked at (${code}); check it`;
  }
}
