/** The commands as the words of a command line go through them, from oclif's manifest. */

export interface Candidate {
  readonly value: string;
  /** Read only for what is shown. */
  readonly about?: string | (() => string | undefined) | undefined;
}

interface Described {
  readonly summary?: string;
  readonly description?: string;
}

interface Argument extends Described {
  readonly options?: readonly string[];
  readonly helpValue?: string;
}

export interface Flag extends Argument {
  readonly char?: string;
  readonly type: "boolean" | "option";
  readonly allowNo?: boolean;
  readonly multiple?: boolean;
  readonly hidden?: boolean;
  readonly helpGroup?: string;
}

export interface Command extends Described {
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly strict: boolean;
  readonly args: Readonly<Record<string, Argument>>;
  readonly flags: Readonly<Record<string, Flag>>;
}

export interface Table {
  /** By what is typed: `plan`, `agent stop`. */
  readonly commands: ReadonlyMap<string, Command>;
  /** What the first word of `agent stop` is about. */
  readonly topics: ReadonlyMap<string, string>;
}

/** From the texts of the manifest and of the package. Throws on what is neither. */
export function tableIn(manifest: string, packageJson: string): Table {
  const { commands } = JSON.parse(manifest) as { commands: Record<string, Command> };
  const { topics = {} } = JSON.parse(packageJson).oclif as { topics?: Record<string, Described> };
  const entries = Object.entries(commands).filter(([, { hidden }]) => hidden !== true);
  return {
    commands: new Map(entries.map(([id, command]) => [id.replaceAll(":", " "), command])),
    topics: new Map(Object.entries(topics).map(([name, { description = "" }]) => [name, description])),
  };
}

const aboutOf = ({ summary, description }: Described) => summary ?? description;

/** What a value can be, where that is listed: as its options, or as `on-failure|always` or `a,b` in the help. */
export function valuesOf({ options, helpValue = "" }: Argument): readonly string[] | undefined {
  return (
    options ??
    (/^[a-z-]+(?:(?:\|[a-z-]+)+|(?:,[a-z-]+)+)$/.test(helpValue) ? helpValue.split(/[|,]/) : undefined)
  );
}

/** Whether several can be given with commas between them. */
export const isList = ({ helpValue = "" }: Argument) => helpValue.includes(",");

/** The command that words begin with, and how many of them name it. An alias is its command. */
export function commandAt(
  { commands }: Table,
  words: readonly string[],
): { readonly id: string; readonly command: Command; readonly length: number } | undefined {
  for (const length of [2, 1]) {
    const typed = words.slice(0, length).join(" ");
    for (const [id, command] of commands)
      if (id === typed || command.aliases?.some((alias) => alias.replaceAll(":", " ") === typed))
        return { id, command, length };
  }
  return undefined;
}

/** What can come next after words that name no command yet. */
export function commandWords({ commands, topics }: Table, before: readonly string[]): Candidate[] {
  if (before.length > 1) return [];
  const [topic] = before;
  const found = new Map<string, string | undefined>();
  for (const [id, command] of commands) {
    const [first = "", second] = id.split(" ");
    if (topic !== undefined && first === topic && second !== undefined) found.set(second, aboutOf(command));
    if (topic === undefined) found.set(first, second === undefined ? aboutOf(command) : topics.get(first));
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, about]) => ({ value, about }));
}

/** The flags that can still be given: those for everything last. */
export function flagWords({ flags }: Command, given: ReadonlySet<string>): Candidate[] {
  const isGlobal = ([, { helpGroup }]: [string, Flag]) => helpGroup === "GLOBAL";
  const free = Object.entries(flags).filter(
    ([name, { hidden, multiple }]) => !hidden && (multiple || !given.has(name)),
  );
  const inOrder = [...free.filter((each) => !isGlobal(each)), ...free.filter(isGlobal)];
  return [
    ...inOrder.flatMap(([name, flag]) => [
      { value: `--${name}`, about: aboutOf(flag) },
      ...(flag.allowNo ? [{ value: `--no-${name}`, about: `Not: ${aboutOf(flag)}` }] : []),
    ]),
    { value: "--help", about: "Show help for the command." },
  ];
}
