import { readFileSync } from "node:fs";
import { type Environment, pathsOf, typedFolder } from "../system/paths.ts";
import { isPrivate } from "../system/private-folder.ts";
import { linesOf } from "./answer.ts";
import type { Surroundings } from "./here.ts";
import { Names } from "./names.ts";
import { type Question, questionIn } from "./question.ts";
import { type Candidate, type Table, tableIn } from "./table.ts";

/**
 * What a shell asks when somebody presses Tab: `xy __complete SHELL WORD…`, the words up to the cursor, the last of them
 * perhaps empty. The first line of the answer says what can follow: `:names`, which are the other lines, each with what it
 * is about behind a tab, or `:files`, `:folders`, `:program`, which the shell knows better. It never fails: whoever types
 * has not asked for anything yet.
 */
export async function runComplete(argv: readonly string[]): Promise<number> {
  const [shell = "", ...words] = argv;
  process.stdout.on("error", () => {});
  const answer = answerTo(shell, words, { env: process.env, cwd: folderOf(process.env) });
  await new Promise((written) => process.stdout.write(answer, written));
  return 0;
}

function answerTo(shell: string, words: readonly string[], around: Surroundings): string {
  try {
    const question = questionIn(builtTable(), words);
    return linesOf(question, candidatesFor(question, around), shell);
  } catch {
    return ":names\n";
  }
}

function builtTable(): Table {
  const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  return tableIn(textOf("oclif.manifest.json"), textOf("../package.json"));
}

function folderOf(env: Environment): string {
  try {
    return typedFolder(env, process.cwd());
  } catch {
    // It was removed.
    return "/";
  }
}

function candidatesFor(question: Question, around: Surroundings): readonly Candidate[] {
  if (typeof question.wanted !== "string") return question.wanted;
  try {
    return new Names(stateIn(around.env), around, question).of(question.wanted);
  } catch {
    return [];
  }
}

/** Undefined where there is none, or where others could have written what is in it. */
function stateIn(env: Environment): string | undefined {
  try {
    const { state } = pathsOf(env);
    return isPrivate(state) ? state : undefined;
  } catch {
    return undefined;
  }
}
