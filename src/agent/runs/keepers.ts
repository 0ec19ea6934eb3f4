import { basename } from "node:path";
import type { ProcessId } from "../../model/process.ts";
import { keptFolder } from "../../system/family.ts";
import { leadsTo } from "../../system/files.ts";
import { identify, rowOf, wordsOf } from "../../system/processes.ts";
import { ANSWERS } from "./keeper.ts";
import { holdsAsKeeper } from "./run-folder.ts";

/** Keepers, recognised among all processes by their arguments and by the files that they hold. */

/** The process, if it is this run folder's keeper: it was started with the folder, or holds its fifos. */
export function keeperAs(pid: number | undefined, dir: string): ProcessId | undefined {
  const folder = pid === undefined ? undefined : keptFolder(pid);
  if (pid === undefined || folder === undefined) return undefined;
  return isSameFolder(folder, dir) || holdsAsKeeper(pid, dir) ? identify(pid) : undefined;
}

/** The process belongs to a run in another folder: its record in this one is a copy. */
export function isAnothers(pid: number, dir: string): boolean {
  const row = rowOf(pid);
  const leaders = row === undefined ? [] : [row.parent, row.session ?? row.group];
  return leaders.some((leader) => keptFolder(leader) !== undefined && keeperAs(leader, dir) === undefined);
}

/** Whether it can repeat how its program ended: see keeper.ts. */
export function keeperAnswers(pid: number): boolean {
  return wordsOf(pid).some((word) => word.includes(ANSWERS));
}

function isSameFolder(word: string, dir: string): boolean {
  if (word === dir) return true;
  if (basename(word) !== basename(dir) || !word.startsWith("/")) return false;
  // The state folder may have another name now.
  const [a, b] = [word, dir].map(leadsTo);
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}
