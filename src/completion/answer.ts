import { visible } from "../model/visible.ts";
import type { Kind } from "./kinds.ts";
import type { Question } from "./question.ts";
import type { Candidate } from "./table.ts";

const OF_SHELL: Partial<Record<Kind, string>> = { file: ":files", folder: ":folders", program: ":program" };
/** Most candidates of an answer: a person reads no more. */
const MOST = 500;
/** Characters that no shell takes for anything else, at whatever place in a word. */
const PLAIN = /^[\p{L}\p{N}_@%+:,./=-]+$/u;
/** Characters of what is said about one. */
const LONGEST = 100;

/** One a line; what a shell could take for more than a word is left out. */
export function linesOf(question: Question, candidates: readonly Candidate[], shell: string): string {
  const { before, typed, wanted, taken } = question;
  const kind = (typeof wanted === "string" && OF_SHELL[wanted]) || ":names";
  const free = candidates.filter(({ value }) => PLAIN.test(value) && !taken.includes(value));
  // Other shells look for what fits themselves, each as the person has told it to.
  const fits = free.filter(({ value }) => value.startsWith(typed));
  const shown = (shell === "bash" || free.length > MOST ? fits : free).slice(0, MOST);
  const lines = shown.map(
    ({ value, about }) => `${before}${value}\t${shell === "bash" ? "" : aboutText(about)}`,
  );
  return [kind, ...lines].map((line) => `${line}\n`).join("");
}

function aboutText(about: Candidate["about"]): string {
  const text = visible((typeof about === "function" ? about() : about) ?? "");
  return text.length > LONGEST ? `${[...text].slice(0, LONGEST - 1).join("")}…` : text;
}
