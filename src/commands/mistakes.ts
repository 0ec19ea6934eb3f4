import { EXIT } from "../model/exit-codes.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import { shellWord } from "../model/text.ts";
import { CommandFailure } from "./failure.ts";
import { amongText } from "./known-servers.ts";
import { flagMeant } from "./mistaken-flags.ts";
import { insteadOf, OTHER_WORDS } from "./other-words.ts";

/** What is said about a command line that cannot be carried out: one sentence, with the command to type. */

/** A command as it is declared. */
export interface Declared {
  /** `agent stop`. */
  readonly id: string;
  /** Names of its positional arguments, in order. */
  readonly args: readonly string[];
  readonly flags: readonly DeclaredFlag[];
}

export interface DeclaredFlag {
  readonly name: string;
  /** What stands for its value; undefined: it has none. */
  readonly value?: string | undefined;
}

/** What is known when a command line is refused. */
interface Known {
  readonly commands: readonly Declared[];
  /** The servers on record. */
  readonly servers: () => readonly string[];
}

/** A command of oclif: its class, or what the manifest says of it. */
interface OclifCommand {
  readonly id: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly flags?: Readonly<Record<string, { readonly type: string; readonly helpValue?: unknown }>>;
}

export function declaredOf({ id, args = {}, flags = {} }: OclifCommand): Declared {
  const named = Object.entries(flags).map(([name, { type, helpValue }]) => ({
    name,
    ...(type === "option" ? { value: String(helpValue ?? "VALUE") } : {}),
  }));
  return { id: id.replaceAll(":", " "), args: Object.keys(args), flags: [...named, { name: "json" }] };
}

/** For a command line that begins with no command. */
export function noCommand(argv: readonly string[], known: Known): CommandFailure {
  const { commands } = known;
  const isCommand = (word: string) => commands.some(({ id }) => id === word || id.startsWith(`${word} `));
  const first = argv.findIndex((word) => !word.startsWith("-"));
  if (first !== 0) return flagFirst(argv, argv.findIndex(isCommand));
  const end = argv.findIndex((word) => word.startsWith("-"));
  const words = end === -1 ? argv : argv.slice(0, end);
  const declared = commands.find(({ id }) => `${words.join(" ")} `.startsWith(`${id} `));
  if (declared) {
    const extra = words.slice(declared.id.split(" ").length);
    return usage(extraText(declared, [], extra));
  }
  const instead = insteadOf(words) ?? jobText(words) ?? serverText(words, known);
  const meant = instead === undefined ? nearestCommand(words, commands) : undefined;
  const isTopic = commands.some(({ id }) => id.startsWith(`${words[0]} `));
  const hint =
    instead ??
    (meant === undefined ? undefined : `did you mean \`xy ${meant}\`?`) ??
    (isTopic ? undefined : insteadOf(nearWords(words))) ??
    `run \`xy ${isTopic ? `${words[0]} ` : ""}--help\` to see all`;
  return usage(`there is no command "${words.slice(0, isTopic ? 2 : 1).join(" ")}": ${hint}`);
}

function flagFirst(argv: readonly string[], command: number): CommandFailure {
  const flag = argv[0] ?? "";
  if (command === -1) {
    const meant = nearest(flag.replace(/^-+/, ""), ["version", "help"]);
    const hint = meant === undefined ? "run `xy --help` to see all" : `did you mean \`xy --${meant}\`?`;
    return usage(`there is no command "${flag}": ${hint}`);
  }
  const typed = [...argv.slice(command), ...argv.slice(0, command)].map(shellWord).join(" ");
  return usage(`cannot read ${flag} before the command: type \`xy ${typed}\``);
}

/** `job 3`. */
function jobText([topic, number = "", ...rest]: readonly string[]): string | undefined {
  if (topic !== "job" || rest.length > 0 || !/^\d+$/.test(number)) return undefined;
  return `\`xy job show ${number}\` shows that job, \`xy job logs ${number}\` what it printed`;
}

/** `web`, or `web restart`. */
function serverText([name = "", verb]: readonly string[], { commands, servers }: Known): string | undefined {
  if (!servers().includes(name)) return undefined;
  const takesName = commands.some(({ id, args }) => id === verb && args[0] === "name");
  return takesName
    ? `write the command first: \`xy ${verb} ${name}\``
    : `${name} is a server; \`xy status ${name}\` shows it, \`xy --help\` lists what can be done with it`;
}

/** Each word by itself: `agent` in front makes no verb more alike. */
function nearestCommand(
  [first = "", second = ""]: readonly string[],
  commands: readonly Declared[],
): string | undefined {
  const pairs = commands.map(({ id }) => id.split(" "));
  const topic = nearest(
    first,
    pairs.flatMap(([word = "", verb]) => (verb === undefined ? [] : [word])),
  );
  const verbs = pairs.flatMap(([word, verb]) => (word === topic && verb !== undefined ? [verb] : []));
  const verb = nearest(second, verbs);
  if (verb !== undefined) return `${topic} ${verb}`;
  return nearest(
    first,
    pairs.flatMap(([word = "", verb]) => (verb === undefined ? [word] : [])),
  );
}

/** The words, if the first one is nearly a word that leads to a command. */
function nearWords([first = "", ...rest]: readonly string[]): readonly string[] {
  const meant = nearest(first, OTHER_WORDS.keys());
  return meant === undefined ? [] : [...meant.split(" "), ...rest];
}

/** Words after a command that takes none, or no more. `taken`: the words that it takes. */
function extraText(command: Declared, taken: readonly string[], extra: readonly string[]): string {
  const { id, args, flags } = command;
  const all = extra.map(shellWord).join(" ");
  const one = extra.length === 1 ? all : "NAME";
  const special = EXTRA[id]?.(one, taken);
  if (special !== undefined) return `cannot ${special}`;
  const [topic, verb] = id.split(" ");
  if (topic === "agent")
    return `cannot ${verb} ${all}: \`xy ${id}\` is about the agent; type \`xy ${id}\` alone`;
  if (flags.some(({ name }) => name === "only")) {
    const [names, before] = id === "emit" ? [extra, taken] : [[...taken, ...extra], []];
    const only = names.map((name) => `--only ${shellWord(name)}`);
    return `cannot read ${names.map(shellWord).join(" ")} after \`${["xy", id, ...before.map(shellWord)].join(" ")}\`: type \`${["xy", id, ...before.map(shellWord), ...only].join(" ")}\``;
  }
  if (args.length === 0)
    return `cannot read ${all} after \`xy ${id}\`, which takes no names: type \`xy ${id}\``;
  return `cannot read ${all}: \`xy ${id}\` takes one ${args[0] === "id" ? "job" : (args[0] ?? "")}; type \`xy ${id} ${taken.map(shellWord).join(" ")}\``;
}

/** For commands of which something else may have been expected. */
const EXTRA: Readonly<Record<string, (name: string, taken: readonly string[]) => string>> = {
  "agent run": (name) =>
    `run ${name} with this command, which is the agent itself: type \`xy start ${name}\``,
  "agent start": (name) =>
    `start ${name} with this command, which starts the agent: type \`xy start ${name}\``,
  "agent status": (name) =>
    `show ${name} with this command, which shows the agent: type \`xy status ${name}\``,
  "agent stop": (name) => `stop ${name} with this command, which stops the agent: type \`xy stop ${name}\``,
  clients: (name) => `show ${name} alone: type \`xy clients\`, which shows all clients`,
  destroy: (name) =>
    `destroy ${name}: \`xy destroy\` removes a whole project; delete ${name} from the configuration and run \`xy apply\`, or name a project with --project`,
  history: (name) =>
    `read ${name} after \`xy history\`: type \`xy history\`, or \`xy history --project ${name}\``,
  jobs: (name) => `read ${name} after \`xy jobs\`: type \`xy jobs --server ${name}\``,
  ports: (name) => `show the ports of ${name} alone: type \`xy ports\` for all, or \`xy status ${name}\``,
  rollback: () => "go back to two generations: type `xy rollback NUMBER` with one number of `xy history`",
  tree: (name) => `show the tree of ${name} alone: type \`xy tree\` for all, or \`xy status ${name}\``,
  trust: (name) => `trust ${name} by name: type \`xy trust --config PATH\``,
};

/** Turns an error of oclif about flags and arguments into one with our words and exit code. */
export function usageFailure(
  error: unknown,
  { command, argv, servers }: { command: Declared; argv: readonly string[]; servers: Known["servers"] },
): CommandFailure {
  const said = (error instanceof Error ? error.message : String(error))
    .replace(/\n?See more help with --help/g, "")
    .replace(/^Parsing (--\S+)\s+/, "$1: ")
    .trim();
  const taken = argv.filter((word) => !word.startsWith("-"));
  const sentence = sentenceOn(said, command, taken, servers);
  if (sentence !== undefined) return usage(sentence);
  const shown = said.replace(/^Nonexistent flags?: (.*)$/m, (_, flags: string) =>
    unknownFlags(flags, command),
  );
  return usage(...shown.split("\n"), `Run \`xy ${command.id} --help\` to see how it is used.`);
}

function sentenceOn(
  said: string,
  command: Declared,
  taken: readonly string[],
  servers: Known["servers"],
): string | undefined {
  const { id, flags } = command;
  if (/^Missing \d+ required args?/.test(said)) return missingText(command, servers());
  const extra = /^Unexpected arguments?: (.*)$/s.exec(said)?.[1]?.split(", ");
  if (extra) return extraText(command, taken.slice(0, command.args.length), extra);
  const [, flag] = /^Flag --(\S+) expects a value$/.exec(said) ?? [];
  if (flag !== undefined) {
    const value = flags.find(({ name }) => name === flag)?.value ?? "VALUE";
    return `cannot read --${flag} without a value: type \`xy ${id} --${flag} ${value}\``;
  }
  const [, chosen, options] = /^Expected (.+) to be one of: (.*)$/s.exec(said) ?? [];
  if (id === "emit" && chosen !== undefined && NAME_PATTERN.test(chosen))
    return `cannot emit for ${chosen}: name a service manager first, as in \`xy emit systemd --only ${chosen}\``;
  if (chosen !== undefined) return optionText(chosen, options?.split(", ") ?? []);
  const [, of, text] = /^(?:--(\S+): )?Expected an integer but received: (.*)$/s.exec(said) ?? [];
  if (text === undefined) return undefined;
  if (of !== undefined)
    return `cannot read --${of} ${shellWord(text)}: write a whole number, such as --${of} 20`;
  if (id === "rollback")
    return `cannot go back to ${shellWord(text)}: type \`xy rollback\` for the generation before, or \`xy rollback NUMBER\` with a number of \`xy history\``;
  const wayOut = `type \`xy ${id} NUMBER\` with a number of \`xy ${id === "history" ? id : "jobs"}\``;
  if (id === "job logs" && NAME_PATTERN.test(text))
    return `cannot read ${text} as a job: ${wayOut}, or \`xy logs ${text}\` for a server`;
  return `cannot read ${shellWord(text)} as a number: ${wayOut}`;
}

/** `chosen`: `tcsh`, or `--format=ts`. */
function optionText(chosen: string, options: readonly string[]): string {
  const [, flag, value = chosen] = /^(--[^=]+)=(.*)$/s.exec(chosen) ?? [];
  const lower = value.toLowerCase();
  const meant = SHORT[lower] ?? nearest(lower, options);
  const all = `${options.slice(0, -1).join(", ")} or ${options.at(-1)}`;
  const hint = meant !== undefined && options.includes(meant) ? `did you mean ${meant}?` : `write ${all}`;
  return `cannot use ${flag === undefined ? "" : `${flag} `}${shellWord(value)}: ${hint}`;
}

/** What people write in place of an option. */
const SHORT: Readonly<Record<string, string>> = { ts: "typescript", yml: "yaml", mem: "memory" };

function missingText({ id, args }: Declared, servers: readonly string[]): string | undefined {
  switch (args[0]) {
    case "name":
      return `cannot tell which server is meant: type \`xy ${id} NAME\`${amongText(servers)}`;
    case "id":
      return `cannot tell which job is meant: type \`xy ${id} NUMBER\` with a number of \`xy jobs\``;
    case "manager":
      return `cannot tell for which service manager: type \`xy ${id} systemd\`, \`xy ${id} launchd\` or \`xy ${id} supervisord\``;
    default:
      return undefined;
  }
}

function unknownFlags(flags: string, { id, flags: known }: Declared): string {
  const each = flags.split(", ").map((flag) => {
    const meant = flagMeant(
      flag,
      id,
      known.map(({ name }) => name),
    );
    return meant === undefined ? flag : `${flag} (${meant})`;
  });
  return `Unknown flag: ${each.join(", ")}`;
}

function usage(...lines: readonly string[]): CommandFailure {
  return new CommandFailure(EXIT.usage, lines);
}
