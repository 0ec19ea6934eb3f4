import type { DeclaredServer } from "../declared.ts";
import { expandPath } from "../paths.ts";
import type { KeyPath } from "../place.ts";
import { programThere } from "./elsewhere.ts";
import { type ProgramSearch, programAt, programOn, searchedFolders } from "./program.ts";
import { EVERYWHERE } from "./report.ts";
import { shellLineFault, shownLine } from "./shell-line.ts";
import type { World } from "./world.ts";

/** What a program search needs: the declared environment, and the folders that relative paths start at. */
export interface Holder extends Pick<DeclaredServer, "folder"> {
  readonly input: Pick<DeclaredServer["input"], "env">;
}

/** Finds a program. `at`: where the configuration names it. A command that cannot be a program gets a message that says why. */
export async function findProgram(
  server: Holder,
  command: string,
  at: KeyPath,
  path: readonly string[],
  world: World,
): Promise<ProgramSearch> {
  const find = (word: string) => lookUp(server, word, at, path, world);
  const search = await find(command);
  // On another machine any name may be a program, unless it looks like a command line.
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
  const own = typeof declaredEnv.PATH === "string" ? declaredEnv.PATH : undefined;
  return programOn(await searchedFolders({ own, path, machine }, env), command, programs);
}

/** How the problem of a missing program is reported. */
export const asFound = ({ everywhere }: Extract<ProgramSearch, { kind: "missing" }>) =>
  everywhere ? EVERYWHERE : {};

/** Folders that a program adds to PATH: its own, if known. */
export const folderOf = (found: ProgramSearch): readonly string[] =>
  found.kind === "found" && found.folder !== undefined ? [found.folder] : [];

/** Words that come before its arguments. */
export const wordsOf = (found: ProgramSearch): readonly string[] =>
  (found.kind === "found" && found.words) || [];
