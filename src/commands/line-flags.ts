import { boolean, option } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { parseDuration } from "../model/units.ts";
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
