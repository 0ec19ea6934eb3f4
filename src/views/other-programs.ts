import { ago, uptime } from "../model/elapsed.ts";
import type { OtherProgram } from "../model/other-program.ts";
import { visible } from "../model/visible.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { stateStyle } from "./list.ts";
import { painter, type Screen } from "./screen.ts";
import { type Cell, type Column, table } from "./table.ts";

/** Programs that a manager runs beside the servers of xy. */

const COLUMNS: readonly Column[] = [
  { heading: "NAME", flexible: true },
  { heading: "STATE" },
  { heading: "PID", numeric: true, drops: 3 },
  { heading: "SINCE", drops: 2 },
  { heading: "DESCRIPTION", flexible: true, drops: 1 },
];

/** A row each, with a newline at its end. */
export function otherProgramsView(programs: readonly OtherProgram[], screen: Screen): string {
  return table(
    COLUMNS,
    programs.map((program) => cells(program, screen.now)),
    screen,
  );
}

function cells(program: OtherProgram, now: number): Cell[] {
  const { name, state, pid, server, description } = program;
  return [
    { text: name },
    { text: state, style: stateStyle(state, "ok") },
    { text: pid === undefined ? "-" : String(pid) },
    { text: since(program, now) },
    { text: server === undefined ? description : `xy's own ${server}` },
  ];
}

/** How long it runs, or when it ended. */
function since({ pid, startedAt, stoppedAt }: OtherProgram, now: number): string {
  if (pid !== undefined && startedAt !== undefined) return uptime(now - startedAt);
  return stoppedAt === undefined ? "-" : ago(now - stoppedAt);
}

/** All that is known of one. */
export function otherProgramView(program: OtherProgram, screen: Screen): string {
  const paint = painter(screen);
  const { name, manager, state, word, pid, startedAt, stoppedAt, exitCode, description, logs } = program;
  const rows: readonly [string, string | undefined][] = [
    ["state", `${state} (${manager}: ${word})`],
    ["pid", pid === undefined ? undefined : String(pid)],
    ["started", startedAt === undefined ? undefined : ago(screen.now - startedAt)],
    ["stopped", stoppedAt === undefined ? undefined : ago(screen.now - stoppedAt)],
    ["exit code", exitCode === undefined ? undefined : String(exitCode)],
    ["description", description === "" ? undefined : description],
    ["output", logs?.out],
    ["errors", logs?.err],
  ];
  const told = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...told.map(([label]) => label.length));
  const lines = told.map(([label, value]) => `  ${paint("dim", label.padEnd(width))}  ${visible(value)}`);
  return `${paint("bold", visible(name))} ${paint("dim", "(not xy's)")}\n${lines.join("\n")}\n`;
}

/** As JSON documents have it. */
export function otherProgramDocument({ startedAt, stoppedAt, exitCode, ...rest }: OtherProgram) {
  return {
    ...rest,
    ...withoutUndefined({
      started_at_unix_ms: startedAt,
      stopped_at_unix_ms: stoppedAt,
      last_exit: exitCode,
    }),
  };
}
