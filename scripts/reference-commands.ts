import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "@oclif/core/command";
import type { Arg, Flag } from "@oclif/core/interfaces";
import packageJson from "../package.json" with { type: "json" };
import { EXIT } from "../src/model/exit-codes.ts";
import { bundleEntries } from "./entries.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const BIN = packageJson.oclif.bin;

type CommandClass = typeof Command;
export type AnyFlag = Flag<unknown> & {
  allowNo?: boolean;
  options?: readonly string[];
  helpValue?: string;
  multiple?: boolean;
};

/** The reference of the command line, from what the commands declare. */
export async function commandsReferenceText(): Promise<string> {
  const commands = await allCommands();
  const sections = commands.map(({ name, command }) => section(name, command));
  return `${[
    "# Commands",
    "Generated from the commands by `npm run generate`; `xy COMMAND --help` shows the same.",
    "## Flags that every command has",
    flagTable(flagsOfAll(commands)),
    "Only commands that print data have `--json`.",
    "## Exit codes",
    exitCodeTable(),
    "## Environment variables",
    environmentTable(),
    ...sections,
  ].join("\n\n")}\n`;
}

/** A command by what is typed for it. */
export interface NamedCommand {
  readonly name: string;
  readonly command: CommandClass;
}

export async function allCommands(): Promise<NamedCommand[]> {
  const entries = Object.entries(bundleEntries(ROOT)).filter(([entry]) => entry.startsWith("commands/"));
  const commands: NamedCommand[] = [];
  // jiti cannot load modules that share others at once.
  for (const [entry, source] of entries) {
    const { default: command } = (await import(join(ROOT, source))) as { default: CommandClass };
    commands.push({ name: entry.slice("commands/".length).replaceAll("/", " "), command });
  }
  return commands;
}

/** The flags that every command has, and those that oclif adds. */
export function flagsOfAll([first]: readonly NamedCommand[]): Record<string, AnyFlag> {
  return { ...(first?.command.baseFlags as Record<string, AnyFlag>), help: HELP, json: JSON_FLAG };
}

/** Variables that xy itself reads, beside those that say where its files are. */
export const VARIABLES: Readonly<Record<string, string>> = {
  XY_CONFIG: "Configuration file or folder, as `--config`.",
  XY_HOST: "Name of this machine, for settings that differ between machines.",
  XY_WAIT_TIMEOUT: "How long to wait for each server, as `--wait-timeout`.",
  XY_DEBUG: "If set, an unexpected failure shows where in xy it happened.",
  NO_COLOR: "If set, nothing is coloured.",
  FORCE_COLOR: "If set to anything but 0 or false, text is coloured also in a pipe.",
  XDG_STATE_HOME: "Records, locks and logs are in `xy` below it. Default: `~/.local/state`.",
  XDG_CONFIG_HOME: "Your own configuration is in `xy` below it. Default: `~/.config`.",
  XDG_CACHE_HOME: "Compiled code is in `xy` below it. Default: `~/.cache`.",
  XDG_RUNTIME_DIR: "Folder of the agent's socket. Without it, the socket is in the state folder.",
};

function environmentTable(): string {
  const rows = Object.entries(VARIABLES).map(([name, text]) => `| \`${name}\` | ${text} |`);
  return ["| variable | meaning |", "| --- | --- |", ...rows].join("\n");
}

const HELP = { char: "h", summary: "Show help for the command.", type: "boolean" } as unknown as AnyFlag;
const JSON_FLAG = {
  summary: "Print one JSON document, even for a failure: `{ error: { code, message, problems? } }`.",
  type: "boolean",
} as unknown as AnyFlag;

export const EXIT_TEXTS: Record<keyof typeof EXIT, string> = {
  success: "Success.",
  failed: "The operation failed.",
  unreachable: "The agent, or another backend, cannot be reached.",
  invalidConfig: "The configuration is invalid, or there is none; nothing was done.",
  changesPending: "There are changes to apply (`xy plan --detailed-exitcode`).",
  usage: "Wrong usage: an unknown command, flag or argument.",
  locked: "Another apply of the project is running.",
  interrupted: "Interrupted by Ctrl-C (143: by SIGTERM).",
};

function exitCodeTable(): string {
  const rows = Object.entries(EXIT).map(
    ([name, code]) => `| ${code} | ${EXIT_TEXTS[name as keyof typeof EXIT]} |`,
  );
  return ["| code | meaning |", "| --- | --- |", ...rows].join("\n");
}

function section(name: string, command: CommandClass): string {
  const args = Object.entries((command.args ?? {}) as Record<string, Arg<unknown>>);
  const flags = (command.flags ?? {}) as Record<string, AnyFlag>;
  const json = command.enableJsonFlag ? " [--json]" : "";
  const usage = usageText(name, command);
  return [
    `## ${BIN} ${name}`,
    command.summary,
    command.description,
    command.aliases.length > 0
      ? `Also as ${command.aliases.map((alias) => `\`${BIN} ${alias}\``).join(", ")}.`
      : "",
    fenced(`${usage}${Object.keys(flags).length > 0 ? " [flags]" : ""}${json}`, "sh usage"),
    args.length > 0 ? argumentTable(args) : "",
    Object.keys(flags).length > 0 ? flagTable(flags) : "",
    exampleText(command.examples, usage),
  ]
    .filter((part) => part)
    .join("\n\n");
}

export function usageText(name: string, command: CommandClass): string {
  const args = Object.entries((command.args ?? {}) as Record<string, Arg<unknown>>);
  return [`${BIN} ${name}`, ...args.map(([arg, of]) => argumentText(arg, of, command.strict))].join(" ");
}

const fenced = (text: string, kind = "sh") => `\`\`\`${kind}\n${text}\n\`\`\``;
const cell = (text: string | undefined) => (text ?? "").replaceAll("\n", " ").replaceAll("|", "\\|");

function argumentText(name: string, { required }: Arg<unknown>, strict: boolean): string {
  const text = `${name.toUpperCase()}${strict ? "" : "…"}`;
  return required ? text : `[${text}]`;
}

function argumentTable(args: readonly [string, Arg<unknown>][]): string {
  const rows = args.map(([name, arg]) => `| \`${name.toUpperCase()}\` | ${cell(flagMeaning(arg))} |`);
  return ["| argument | meaning |", "| --- | --- |", ...rows].join("\n");
}

function flagTable(flags: Readonly<Record<string, AnyFlag>>): string {
  const rows = Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => `| ${flagText(name, flag)} | ${cell(flagMeaning(flag))} |`);
  return ["| flag | meaning |", "| --- | --- |", ...rows].join("\n");
}

export function flagText(
  name: string,
  { char, type, helpValue, options, allowNo, multiple }: AnyFlag,
): string {
  const value = options ? options.join("\\|") : (helpValue ?? "VALUE");
  const long = `--${allowNo ? "[no-]" : ""}${name}${type === "option" ? ` ${value}` : ""}`;
  return `\`${char ? `-${char}, ` : ""}${long}\`${multiple ? ", repeatable" : ""}`;
}

export function flagMeaning(flag: Pick<AnyFlag, "summary" | "description" | "env" | "default">): string {
  const { summary, description, env, default: fallback } = flag;
  const given =
    typeof fallback === "string" || typeof fallback === "number" ? ` Default: \`${fallback}\`.` : "";
  return `${summary ?? description ?? ""}${given}${env ? ` Also \`$${env}\`.` : ""}`;
}

/** Omitted if they say no more than the usage. */
function exampleText(examples: CommandClass["examples"], usage: string): string {
  const text = exampleLines(examples).join("\n");
  return text === "" || text === usage ? "" : fenced(text);
}

/** As somebody would type them, each with a comment above it if there is something to say. */
export function exampleLines(examples: CommandClass["examples"]): string[] {
  const lines = (examples ?? []).flatMap((example) => {
    if (typeof example === "string") return [example];
    return [...(example.description ? [`# ${example.description}`] : []), example.command];
  });
  return lines.map((line) => line.replaceAll("<%= config.bin %>", BIN));
}
