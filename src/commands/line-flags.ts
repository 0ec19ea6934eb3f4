import { boolean, option, string } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { parseDuration } from "../model/units.ts";
import { type LogLine, logFormatter } from "../views/logs.ts";
import { painter } from "../views/screen.ts";
import type { BaseCommand } from "./base.ts";

/** Flags of commands that show lines of servers and jobs, and what they are on the wire. */

export const streamFlag = {
  stream: option({
    options: ["out", "err"] as const,
    summary: "Show only standard output, or only standard error.",
  })(),
};

export const rawFlag = {
  raw: boolean({
    summary:
      "Show every byte as it was printed. Without it, the values of secrets are left out, and control characters other " +
      "than colours are escaped.",
  }),
};

/** What is shown of each line, and of which lines. */
export const lookFlags = {
  grep: string({
    helpValue: "RE",
    summary: "Show only lines in which this regular expression matches; --tail counts only those.",
  }),
  timestamps: boolean({ char: "t", summary: "Show when each line was printed, in local time." }),
  pretty: boolean({
    exclusive: ["json", "raw"],
    summary: "Show lines that are JSON as time, level, message and key=value; other lines as they are.",
  }),
};

interface LookFlags {
  readonly grep?: string | undefined;
  readonly timestamps: boolean;
  readonly pretty: boolean;
  readonly raw: boolean;
}

/** `--grep`: as the agent is told, and the same here, because an agent of an earlier version sends all lines. */
export interface Grep {
  readonly wire: { readonly grep?: string };
  readonly matches?: (line: string) => boolean;
}

export async function grepOf(command: BaseCommand, pattern: string | undefined): Promise<Grep> {
  if (pattern === undefined) return { wire: {} };
  const { shortened, understood } = await import("../model/expression.ts");
  const read = await understood(pattern);
  if (read.ok) return { wire: { grep: pattern }, matches: (line) => read.expression.test(line) };
  const where = read.at === undefined ? "" : ` (character ${read.at + 1})`;
  return command.fail(
    EXIT.usage,
    `cannot use --grep ${JSON.stringify(shortened(pattern))}${where}: ${read.fault}`,
  );
}

/** How lines of these servers are written; see {@link logFormatter}. */
export async function formatterOf(
  command: BaseCommand,
  names: readonly string[],
  { timestamps, pretty, raw }: LookFlags,
): Promise<(line: LogLine) => string> {
  const screen = command.lineScreen(raw);
  if (!pretty) return logFormatter(names, screen, { timestamps });
  const { prettyLine } = await import("../views/pretty.ts");
  const paint = painter(screen);
  return logFormatter(names, screen, { timestamps, pretty: (line) => prettyLine(line, paint) });
}

/** An agent of an earlier version does not know the parameter. */
export function wireRaw(raw: boolean): { raw?: true } {
  return raw ? { raw } : {};
}

export function wireStream(stream: "out" | "err" | undefined): { stream?: "stdout" | "stderr" } {
  if (stream === undefined) return {};
  return { stream: stream === "out" ? "stdout" : "stderr" };
}

/** What a follower is told once its agent is dead. */
export const AGENT_DIED = "xy: the agent died; waiting for the next one";

/**
 * What a reader is told once whose agent has an earlier version, and looks for nothing itself. `tail`: undefined where all
 * lines came.
 */
export function earlierAgent(command: BaseCommand, tail: number | undefined): () => void {
  let isTold = tail === undefined;
  return () => {
    if (!isTold)
      command.hint(
        `xy: the agent has an earlier version, so only the last ${tail} lines were looked through: \`xy agent upgrade\` replaces it, and no server restarts`,
      );
    isTold = true;
  };
}

/** What a reader is told in place of lines that it does not get. */
export const missedText = (name: string, missed: number) =>
  `xy: ${name}: ${missed === 1 ? "1 line is" : `${missed} lines are`} missing here: read too slowly, or not written`;

/** `--since` as unix ms. `examples`: how a person may write it. */
export function sinceFlag(
  command: BaseCommand,
  text: string | undefined,
  examples: string,
): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined)
    command.fail(EXIT.usage, `cannot read --since ${text}: write a duration such as ${examples}`);
  return Date.now() - ms;
}
