import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "@oclif/core/command";
import type { Arg, Flag } from "@oclif/core/interfaces";
import packageJson from "../package.json" with { type: "json" };
import { EXIT } from "../src/model/exit-codes.ts";
import { bundleEntries } from "./entries.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = packageJson.oclif.bin;

type CommandClass = typeof Command;
type AnyFlag = Flag<unknown> & {
  allowNo?: boolean;
  options?: readonly string[];
  helpValue?: string;
  multiple?: boolean;
};

/** The reference of the command line, from what the commands declare. */
export async function commandsReferenceText(): Promise<string> {
  const commands = Object.entries(bundleEntries(ROOT)).filter(([entry]) => entry.startsWith("commands/"));
  const sections: string[] = [];
  let everywhere = "";
  for (const [entry, source] of commands) {
    const { default: command } = (await import(join(ROOT, source))) as { default: CommandClass };
    sections.push(section(entry.slice("commands/".length).replaceAll("/", " "), command));
    everywhere ||= flagTable({ ...command.baseFlags, help: HELP, json: JSON_FLAG });
  }
  return `${[
    "# Commands",
    "Generated from the commands by `npm run generate`; `xy COMMAND --help` shows the same.",
    "## Flags that every command has",
    everywhere,
    "Only commands that print data have `--json`.",
    "## Exit codes",
    exitCodeTable(),
    ...sections,
  ].join("\n\n")}\n`;
}

const HELP = { char: "h", summary: "Show help for the command.", type: "boolean" } as unknown as AnyFlag;
const JSON_FLAG = {
  summary: "Print one JSON document, even for a failure: `{ error: { code, message, problems? } }`.",
  type: "boolean",
} as unknown as AnyFlag;

const EXIT_TEXTS: Record<keyof typeof EXIT, string> = {
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
  const usage = [`${BIN} ${name}`, ...args.map(([arg, of]) => argumentText(arg, of, command.strict))].join(
    " ",
  );
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
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => `| ${flagText(name, flag)} | ${cell(flagMeaning(flag))} |`);
  return ["| flag | meaning |", "| --- | --- |", ...rows].join("\n");
}

function flagText(name: string, { char, type, helpValue, options, allowNo, multiple }: AnyFlag): string {
  const value = options ? options.join("\\|") : (helpValue ?? "VALUE");
  const long = `--${allowNo ? "[no-]" : ""}${name}${type === "option" ? ` ${value}` : ""}`;
  return `\`${char ? `-${char}, ` : ""}${long}\`${multiple ? ", repeatable" : ""}`;
}

function flagMeaning(flag: Pick<AnyFlag, "summary" | "description" | "env" | "default">): string {
  const { summary, description, env, default: fallback } = flag;
  const given =
    typeof fallback === "string" || typeof fallback === "number" ? ` Default: \`${fallback}\`.` : "";
  return `${summary ?? description ?? ""}${given}${env ? ` Also \`$${env}\`.` : ""}`;
}

/** Omitted if they say no more than the usage. */
function exampleText(examples: CommandClass["examples"], usage: string): string {
  const lines = (examples ?? []).flatMap((example) => {
    if (typeof example === "string") return [example];
    return [...(example.description ? [`# ${example.description}`] : []), example.command];
  });
  const text = lines.join("\n").replaceAll("<%= config.bin %>", BIN);
  return text === "" || text === usage ? "" : fenced(text);
}
