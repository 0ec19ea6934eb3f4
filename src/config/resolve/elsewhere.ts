import { realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ServerSpec } from "../../model/spec.ts";
import type { KeyPath } from "../place.ts";
import type { ProgramSearch } from "./program.ts";

/** Paths and programs in a configuration that is evaluated for another machine. */

/** Stands for a folder that cannot be known here. Nobody writes such a path. */
const UNKNOWN = "/\u{FDD2}";
/** So deep that no relative path leads out of it. */
const UNKNOWN_FOLDER = UNKNOWN.repeat(100);
/** The program that finds another one on the machine where it runs. */
export const ENV = "/usr/bin/env";

/** Where a folder of this account is on a machine with another home folder. What is not below the home may be anywhere. */
export function folderThere(folder: string, home: string, homeThere: string): string {
  for (const base of new Set([home, realHome(home)])) {
    const below = relative(base, folder);
    if (below !== ".." && !below.startsWith("../")) return join(homeThere, below);
  }
  return UNKNOWN_FOLDER;
}

function realHome(home: string): string {
  try {
    return realpathSync(home);
  } catch {
    return home;
  }
}

/** A program of another machine: one with a path is there, a bare name is found by `env` when it starts. */
export function programThere(command: string, path: string | undefined): ProgramSearch {
  if (path !== undefined) return { kind: "found", program: path, folder: dirname(path) };
  if (!command.includes("=") && !command.startsWith("-"))
    return { kind: "found", program: ENV, words: [command] };
  const message = `cannot find the program ${JSON.stringify(command)} on another machine: \`env\` would take its name for something else; write its whole path`;
  return { kind: "missing", message, everywhere: true };
}

/** Parts of a server whose location cannot be known here, with their paths in the configuration and the reason. */
export function unknownPlaces(
  { program, workingDir, env }: Pick<ServerSpec, "program" | "workingDir" | "env">,
  envFiles: readonly string[],
): { readonly path: KeyPath; readonly message: string }[] {
  const found: { path: KeyPath; what: string }[] = [];
  const look = (path: KeyPath, what: string, place: string) => {
    if (place.startsWith(UNKNOWN)) found.push({ path, what });
  };
  look(["command"], "the program", program);
  look(["workingDir"], "the working folder", workingDir);
  for (const [i, file] of envFiles.entries())
    look(envFiles.length > 1 ? ["envFile", i] : ["envFile"], "the env-file", file);
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === "string") {
      // The folder of a program is one of them.
      const isSaid = found.length > 0 || name !== "PATH" || !value.includes(UNKNOWN);
      if (!isSaid) found.push({ path: [], what: "a folder of the path" });
    } else if ("file" in value.secret) look(["env", name], `the secret file of ${name}`, value.secret.file);
  }
  return found.map(({ path, what }) => ({
    path,
    message: `cannot tell where ${what} is on another machine: its path is relative to a file outside your home folder; write an absolute path, or one that begins with ~/`,
  }));
}
