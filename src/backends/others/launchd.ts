import { globMatcher } from "../../model/glob.ts";
import type { OtherProgram } from "../../model/other-program.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { type Ask, words } from "../ask.ts";
import { Launchctl } from "../launchctl.ts";

/** Jobs of the account's launchd that are not xy's: listed by a pattern of their labels, and never changed. */

/** `launchctl list` prints one job a line: its pid, or `-`; the code of its last run, negative for a signal; its label. */
export async function launchdPrograms(ask: Ask, pattern: string): Promise<OtherProgram[]> {
  const answer = await new Launchctl(ask).run("list");
  if (answer.code !== 0) throw new BackendUnreachable(`cannot ask launchd: ${words(answer)}`);
  const matches = globMatcher(pattern);
  return answer.stdout.split("\n").flatMap((line) => {
    const [, pid, status, label] = /^(-|\d{1,10})\t(-?\d{1,10})\t(\S.*)$/.exec(line) ?? [];
    if (label === undefined || !matches(label)) return [];
    const isRunning = pid !== "-";
    const code = Number(status);
    const isOver = !isRunning && code !== 0;
    return [
      {
        manager: "launchd" as const,
        name: label,
        state: isRunning ? ("running" as const) : ("stopped" as const),
        word: isRunning ? "running" : "not running",
        ...(isRunning ? { pid: Number(pid) } : {}),
        ...(isOver && code > 0 ? { exitCode: code } : {}),
        description: isOver ? (code > 0 ? `ended: exit ${code}` : `ended: signal ${-code}`) : "",
      },
    ];
  });
}
