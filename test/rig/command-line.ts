import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a line that begins with `xy` says, held against the commands that there are. */

interface ManifestFlag {
  readonly name: string;
  readonly char?: string;
  readonly type: "boolean" | "option";
  readonly allowNo?: boolean;
  readonly options?: readonly string[];
}

interface ManifestCommand {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly strict: boolean;
  readonly flags: Readonly<Record<string, ManifestFlag>>;
  readonly args: Readonly<
    Record<string, { readonly required?: boolean; readonly options?: readonly string[] }>
  >;
}

const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8"),
) as { readonly commands: Readonly<Record<string, ManifestCommand>> };
const commands = Object.values(manifest.commands);
const byId = new Map(
  commands.flatMap((command) => [command.id, ...command.aliases].map((id) => [id, command] as const)),
);
const topics = new Set([...byId.keys()].filter((id) => id.includes(":")).map((id) => id.split(":")[0]));

/** First words that are a command's, or those of several. */
export const FIRST_WORDS: ReadonlySet<string> = new Set(commands.map(({ id }) => id.split(":")[0] ?? id));

/** Words that stand for something, as in a usage: `NAME`, `[FILE…]`, `…`. */
const isPlaceholder = (word: string) => /^\[?[A-Z][A-Z0-9_-]*…?\]?$|^…$/.test(word);

/**
 * Why the words behind `xy` are no call; undefined: they are one. `whole`: nothing is left out, as it may be in a sentence
 * (`xy logs`, `--only`).
 */
export function faultOf(words: readonly string[], whole: boolean): string | undefined {
  if (words.length === 0 || isPlaceholder(words[0] ?? "")) return undefined;
  if (/^-/.test(words[0] ?? ""))
    return words.every((word) => ["--help", "-h", "--version", "-V"].includes(word))
      ? undefined
      : `there is no flag ${words[0]}`;
  const length = [2, 1].find((count) => words.length >= count && byId.has(words.slice(0, count).join(":")));
  if (length === undefined)
    return topics.has(words[0] ?? "") && (words.length === 1 || isPlaceholder(words[1] ?? ""))
      ? undefined
      : `there is no command ${words.slice(0, 2).join(" ")}`;
  const command = byId.get(words.slice(0, length).join(":")) as ManifestCommand;
  // What is behind that is the shell's.
  const end = words.indexOf(">");
  return callFault(command, words.slice(length, end < 0 ? undefined : end), whole);
}

function callFault(command: ManifestCommand, words: readonly string[], whole: boolean): string | undefined {
  const flags = Object.values(command.flags);
  const positional: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      positional.push(...words.slice(i + 1));
      break;
    }
    if (!/^-./.test(word)) {
      positional.push(word);
      continue;
    }
    if (word === "--help" || word === "-h") continue;
    const [name = "", given] = word.split(/=(.*)/s);
    const flag = flags.find(
      (one) =>
        name === `--${one.name}` || name === `-${one.char}` || (one.allowNo && name === `--no-${one.name}`),
    );
    if (flag === undefined) return `xy ${command.id.replace(":", " ")} has no flag ${name}`;
    if (flag.type === "boolean") continue;
    const value = given ?? words[++i];
    if (value === undefined && whole) return `${name} needs a value`;
    const options = flag.options ?? [];
    if (value !== undefined && options.length > 0 && !options.includes(value) && !isPlaceholder(value))
      return `${name} cannot be ${value}`;
  }
  const args = Object.values(command.args);
  if (command.strict && positional.length > args.length)
    return `xy ${command.id.replace(":", " ")} takes no ${positional[args.length]}`;
  const missing = args.filter(({ required }) => required).length > positional.length;
  return whole && missing ? `xy ${command.id.replace(":", " ")} needs another argument` : undefined;
}
