import { systemPath } from "../../model/given-env.ts";
import type { DeclaredServer } from "../declared.ts";
import { expandPath } from "../paths.ts";
import type { KeyPath } from "../place.ts";
import { programThere } from "./elsewhere.ts";
import { callersFolders, type ProgramSearch, pathFolders, programAt, programOn } from "./program.ts";
import { EVERYWHERE } from "./report.ts";
import { shellLineFault, shownLine } from "./shell-line.ts";
import type { World } from "./world.ts";

/** What a program is found by: the declared environment, and the folders that relative paths start at. */
export interface Holder extends Pick<DeclaredServer, "folder"> {
  readonly input: Pick<DeclaredServer["input"], "env">;
}

/** `at`: where the configuration names it. What cannot be a program at all is told as what it is. */
export async function findProgram(
  server: Holder,
  command: string,
  at: KeyPath,
  path: readonly string[],
  world: World,
): Promise<ProgramSearch> {
  const find = (word: string) => lookUp(server, word, at, path, world);
  const search = await find(command);
  // Elsewhere any name may be that of a program, but for what looks like a line of words.
  const mayBe = world.isElsewhere ? command.includes("/") || !/\s/.test(command) : search.kind === "found";
  if (mayBe || (search.kind === "missing" && !search.absent)) return search;
  const isProgram = async (word: string) => (await find(word)).kind === "found";
  const fault = await shellLineFault(command, String(at.at(-1)), isProgram);
  if (fault === undefined) return search;
  const message = `cannot run ${shownLine(command)}: ${fault}`;
  return { kind: "missing", message, everywhere: true };
}

async function lookUp(
  server: Holder,
  command: string,
  at: KeyPath,
  path: readonly string[],
  { machine, env, programs, isElsewhere }: World,
): Promise<ProgramSearch> {
  const { env: declaredEnv } = server.input;
  const isPath = command.includes("/") || command === "~";
  const written = isPath ? expandPath(command, server.folder(at), machine) : undefined;
  if (isElsewhere) return programThere(command, written);
  if (written !== undefined) return programAt(written, command);
  // What the server itself says comes first, what only this shell says comes last.
  const own = typeof declaredEnv.PATH === "string" ? pathFolders(declaredEnv.PATH) : [];
  return programOn(
    [...new Set([...own, ...path, ...systemPath(machine), ...(await callersFolders(env))])],
    command,
    programs,
  );
}

/** What a program that is not there is told as. */
export const asFound = ({ everywhere }: Extract<ProgramSearch, { kind: "missing" }>) =>
  everywhere ? EVERYWHERE : {};

/** Folders that it adds to PATH: its own, if that is known. */
export const folderOf = (found: ProgramSearch): readonly string[] =>
  found.kind === "found" && found.folder !== undefined ? [found.folder] : [];

/** What stands before its arguments. */
export const wordsOf = (found: ProgramSearch): readonly string[] =>
  (found.kind === "found" && found.words) || [];
