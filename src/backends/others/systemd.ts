import type { StateName } from "../../model/observed.ts";
import type { OtherProgram } from "../../model/other-program.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { type Ask, words } from "../ask.ts";
import { propertiesIn, timeOf } from "../units/systemd/show.ts";

/** Units of the account's systemd that are not xy's: listed by a pattern of their names, and never changed. */

const PROPERTIES = [
  "Id",
  "Description",
  "ActiveState",
  "SubState",
  "MainPID",
  "ExecMainStartTimestamp",
  "ExecMainExitTimestamp",
  "ExecMainCode",
  "ExecMainStatus",
] as const;
type Properties = Readonly<Partial<Record<(typeof PROPERTIES)[number], string>>>;

/** Units whose names match a pattern of systemd's: loaded ones, and those with a file. */
export async function systemdPrograms(ask: Ask, pattern: string): Promise<OtherProgram[]> {
  const run = async (...args: string[]) => {
    const answer = await ask("systemctl", ["--user", "--no-pager", ...args]);
    if (answer.code === 0) return answer.stdout;
    throw new BackendUnreachable(`cannot ask systemd: ${words(answer)}`);
  };
  // It exits with 1 if there is none.
  const listed = await ask("systemctl", [
    "--user",
    "--no-pager",
    "--no-legend",
    "list-unit-files",
    "--",
    pattern,
  ]);
  const files = listed.stdout.split("\n").flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? []);
  const named = files.filter((name) => !/@\.\w+$/.test(name));
  const shown = await run("show", `--property=${PROPERTIES.join(",")}`, "--", pattern, ...named);
  const found = shown.split("\n\n").map((block) => propertiesIn(block, PROPERTIES));
  const units = new Map(found.flatMap((unit) => (unit.Id ? [[unit.Id, unit] as const] : [])));
  return [...units.values()].filter(({ ActiveState }) => ActiveState !== undefined).map(programOf);
}

function programOf(unit: Properties): OtherProgram {
  const { Id = "", ActiveState = "", SubState = "", Description = "", MainPID = "" } = unit;
  const pid = /^\d{1,10}$/.test(MainPID) ? Number(MainPID) : 0;
  const [startedAt, stoppedAt] = [timeOf(unit.ExecMainStartTimestamp), timeOf(unit.ExecMainExitTimestamp)];
  const isOver = pid === 0 && stoppedAt !== undefined;
  return {
    manager: "systemd",
    name: Id,
    state: stateOf(ActiveState, SubState),
    word: SubState === "" || SubState === ActiveState ? ActiveState : `${ActiveState} (${SubState})`,
    ...(pid > 0 ? { pid } : {}),
    ...withoutUndefined({ startedAt }),
    ...(isOver ? { stoppedAt } : {}),
    // 1: it exited, as CLD_EXITED says.
    ...(isOver && unit.ExecMainCode === "1" ? { exitCode: Number(unit.ExecMainStatus) } : {}),
    description: Description,
  };
}

function stateOf(active: string, sub: string): StateName {
  if (sub === "auto-restart") return "restarting";
  switch (active) {
    case "active":
    case "reloading":
    case "refreshing":
      return "running";
    case "activating":
      return "starting";
    case "deactivating":
      return "stopping";
    case "failed":
      return "failed";
    default:
      return "stopped";
  }
}
