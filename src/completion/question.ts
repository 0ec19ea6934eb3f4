import { type Kind, kindOf } from "./kinds.ts";
import {
  type Candidate,
  type Command,
  commandAt,
  commandWords,
  type Flag,
  flagWords,
  isList,
  type Table,
  valuesOf,
} from "./table.ts";

/** What is asked: the word under the cursor, and what could be there. */
export interface Question {
  /** The part of the word that stays, such as `--only=`. */
  readonly before: string;
  /** What is there of the rest. */
  readonly typed: string;
  readonly wanted: Kind | readonly Candidate[];
  /** Arguments of the command, or values of the flag, that are there already. */
  readonly taken: readonly string[];
  readonly config: string | undefined;
  readonly project: string | undefined;
}

const NOTHING = { before: "", typed: "", wanted: [], taken: [], config: undefined, project: undefined };
const TOP: readonly Candidate[] = [
  { value: "--help", about: "Show the commands." },
  { value: "--version", about: "Show the version." },
];
const HELP: Candidate = { value: "help", about: "Show help for a command." };

/** What the last of these words, which follow `xy`, could be. */
export function questionIn(table: Table, words: readonly string[]): Question {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const isHelp = before[0] === "help";
  const named = isHelp ? before.slice(1) : before;
  const found = commandAt(table, named);
  if (found === undefined || isHelp) {
    if (typed.startsWith("-")) return { ...NOTHING, typed, wanted: before.length === 0 ? TOP : [] };
    const more = before.length === 0 ? [HELP] : [];
    return { ...NOTHING, typed, wanted: [...commandWords(table, named), ...more] };
  }
  return new Reading(found.id, found.command, named.slice(found.length)).questionFor(typed);
}

/** The words after a command, up to the one under the cursor. */
class Reading {
  readonly #id: string;
  readonly #command: Command;
  readonly #values = new Map<string, string[]>();
  readonly #args: string[] = [];
  /** The flag whose value is next. */
  #open: string | undefined;
  /** After `--`. */
  #isRest = false;

  constructor(id: string, command: Command, words: readonly string[]) {
    this.#id = id;
    this.#command = command;
    for (const word of words) this.#read(word);
  }

  #read(word: string): void {
    if (this.#open !== undefined) {
      this.#give(this.#open, word);
      this.#open = undefined;
    } else if (this.#isRest) this.#args.push(word);
    else if (word === "--") this.#isRest = true;
    else if (word.startsWith("--")) this.#readLong(word);
    else if (/^-./.test(word)) this.#readShort(word);
    else this.#args.push(word);
  }

  #readLong(word: string): void {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = this.#flag(name);
    if (flag?.type === "option" && value === undefined) this.#open = name;
    else this.#give(flag === undefined ? name.replace(/^no-/, "") : name, value);
  }

  /** `-yf`, or `-n 20`. */
  #readShort(word: string): void {
    for (const [at, char] of [...word.slice(1)].entries()) {
      const [name, flag] = Object.entries(this.#command.flags).find(([, one]) => one.char === char) ?? [];
      if (name === undefined) return;
      if (flag?.type === "option") {
        if (at === word.length - 2) this.#open = name;
        return;
      }
      this.#give(name, undefined);
    }
  }

  #flag(name: string): Flag | undefined {
    return Object.hasOwn(this.#command.flags, name) ? this.#command.flags[name] : undefined;
  }

  #give(name: string, value: string | undefined): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), ...(value === undefined ? [] : [value])]);
  }

  questionFor(word: string): Question {
    const given = {
      config: this.#values.get("config")?.at(-1),
      project: this.#values.get("project")?.at(-1),
    };
    if (this.#open !== undefined) return { ...given, ...this.#valueOf(this.#open, "", word) };
    const [, before, name = "", value = ""] = /^(--([^=]+)=)(.*)$/s.exec(word) ?? [];
    if (!this.#isRest && before !== undefined) return { ...given, ...this.#valueOf(name, before, value) };
    const wanted = this.#wantedOf(word);
    return { ...given, before: "", typed: word, wanted, taken: this.#args };
  }

  #valueOf(name: string, before: string, typed: string): Omit<Question, "config" | "project"> {
    const flag = this.#flag(name);
    const taken = this.#values.get(name) ?? [];
    if (flag?.type !== "option") return { before, typed, wanted: [], taken };
    const wanted = optionsOf(flag) ?? kindOf(this.#id, `--${name}`) ?? "text";
    if (wanted !== "states" && !isList(flag)) return { before, typed, wanted, taken };
    const last = typed.lastIndexOf(",") + 1;
    const listed = [...taken, typed.slice(0, last)].flatMap((one) => one.split(","));
    return { before: `${before}${typed.slice(0, last)}`, typed: typed.slice(last), wanted, taken: listed };
  }

  #wantedOf(word: string): Question["wanted"] {
    const rest = kindOf(this.#id, "--");
    if (this.#isRest && rest !== undefined) return rest;
    const flags = () => flagWords(this.#command, new Set(this.#values.keys()));
    if (!this.#isRest && word.startsWith("-")) return flags();
    const args = Object.entries(this.#command.args);
    const further = kindOf(this.#id, "…");
    const at =
      this.#command.strict || further !== undefined
        ? this.#args.length
        : Math.min(this.#args.length, args.length - 1);
    const [name, arg] = args[at] ?? [];
    if (name !== undefined && arg !== undefined) return optionsOf(arg) ?? kindOf(this.#id, name) ?? "text";
    // Nothing but flags can follow.
    return word === "" && !this.#isRest && this.#command.strict ? flags() : (further ?? []);
  }
}

const optionsOf = (of: Parameters<typeof valuesOf>[0]): Candidate[] | undefined =>
  valuesOf(of)?.map((value) => ({ value }));
