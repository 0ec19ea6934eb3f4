import { constants } from "node:os";
import type { Exit, StateName } from "../../../model/observed.ts";
import type { ServerSpec } from "../../../model/spec.ts";
import { withoutUndefined } from "../../../model/without-undefined.ts";
import { systemdUnits } from "../../render/systemd.ts";
import { startedFor } from "../../render/unit.ts";
import type { Live, Unit } from "../manager.ts";
import { isStale } from "../stale.ts";

/** Reading the output of `systemctl show`. */

export const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "MainPID",
  "NRestarts",
  "ExecMainStartTimestamp",
  "ExecMainExitTimestamp",
  "ExecMainExitTimestampMonotonic",
  "ExecMainCode",
  "ExecMainStatus",
  "ActiveExitTimestampMonotonic",
  "StateChangeTimestamp",
  "UnitFileState",
  "NeedDaemonReload",
  "FragmentPath",
  "DropInPaths",
] as const;
export type Properties = Readonly<Partial<Record<(typeof PROPERTIES)[number], string>>>;

const NUMBERS: ReadonlySet<string> = new Set([
  "MainPID",
  "NRestarts",
  "ExecMainStatus",
  "ExecMainExitTimestampMonotonic",
  "ActiveExitTimestampMonotonic",
] satisfies (typeof PROPERTIES)[number][]);

/** Those of the named properties that are in a block of `systemctl show`. A number that is none is left out. */
export function propertiesIn<Name extends string>(
  block: string,
  names: readonly Name[],
): Readonly<Partial<Record<Name, string>>> {
  const known: ReadonlySet<string> = new Set(names);
  const found = block.split("\n").flatMap((line) => {
    const cut = line.indexOf("=");
    const [name, value] = [line.slice(0, Math.max(cut, 0)), line.slice(cut + 1)];
    return known.has(name) && (!NUMBERS.has(name) || /^\d{1,20}$/.test(value)) ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

export function liveOf(unit: Unit, properties: Properties): Live {
  const pid = Number(properties.MainPID) || undefined;
  const startedAt = timeOf(properties.ExecMainStartTimestamp);
  const since = timeOf(properties.StateChangeTimestamp);
  const lastExit = lastExitOf(properties);
  const state = stateOf(unit, properties, lastExit?.requested ?? false);
  const reason = reasonOf(unit.spec, state, properties, lastExit?.exit);
  return {
    state,
    drift: driftOf(unit, properties),
    stale: isStale(
      unit,
      pid,
      startedAt,
      unit.isTouched || ownDropIns(unit.spec, properties.DropInPaths).length > 0,
    ),
    ...(properties.NRestarts
      ? { restartCount: Number(properties.NRestarts) + (state === "restarting" ? 1 : 0) }
      : {}),
    ...(state === "restarting" && lastExit
      ? { nextStartAt: lastExit.at + unit.spec.restart.backoffInitial }
      : {}),
    ...(pid === undefined ? {} : { pid, ...withoutUndefined({ startedAt }) }),
    ...withoutUndefined({ lastExit, since, reason }),
  };
}

function stateOf(
  { spec: { restart }, enabled }: Unit,
  { ActiveState, SubState, Result, ExecMainStatus = "" }: Properties,
  requested: boolean,
): StateName {
  switch (ActiveState) {
    case "active":
    case "reloading":
      return "running";
    case "activating":
      return SubState?.startsWith("auto-restart") ? "restarting" : "starting";
    case "deactivating":
      return "stopping";
    case "failed": {
      // It was told to stop and then killed, and nobody waited to reset its failed state.
      if (requested && !enabled) return "stopped";
      // With the policy `never`, it has simply exited, however it did, if it had started.
      const hasEnded =
        /^(exit-code|signal|core-dump)$/.test(Result ?? "") && !Object.hasOwn(SETUP_FAILURES, ExecMainStatus);
      return hasEnded && restart.policy === "never" ? "stopped" : "failed";
    }
    default:
      return "stopped";
  }
}

/** `Thu 2026-11-26 01:15:53 UTC` as unix ms; undefined if it did not happen. */
export function timeOf(text: string | undefined): number | undefined {
  const at = Date.parse(text?.replace(/^\w+ /, "") ?? "");
  return Number.isNaN(at) ? undefined : at;
}

const EXITED = "1";

/** A unit that is told to stop leaves its active state before its process exits; any other leaves it afterwards. */
function lastExitOf(properties: Properties): Live["lastExit"] {
  const { ExecMainCode: code, ExecMainStatus: status } = properties;
  const at = timeOf(properties.ExecMainExitTimestamp);
  if (at === undefined || code === undefined || code === "0") return undefined;
  const left = Number(properties.ActiveExitTimestampMonotonic);
  const requested = left > 0 && left < Number(properties.ExecMainExitTimestampMonotonic);
  const exit: Exit =
    code === EXITED
      ? { kind: "code", code: Number(status) }
      : { kind: "signal", signal: signalName(Number(status)) };
  return { exit, at, ...(requested ? { requested } : {}) };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}

/** Exit codes that systemd uses if it cannot run the program: see systemd.exec(5). */
const SETUP_FAILURES: Readonly<Record<string, string>> = {
  "200": "its working folder cannot be entered: {workingDir}",
  "203": "its program cannot be run: {program}",
  "209": "its standard output cannot be opened",
  "216": "its group does not exist",
  "217": "its account does not exist",
};

const isSetupFailure = (exit: Exit) => exit.kind === "code" && Object.hasOwn(SETUP_FAILURES, exit.code);

const TOO_OFTEN = "it was started too often";

/**
 * What a start that failed came to, by how its unit is after it. `ran`: its program was run, and has ended or been started
 * again since. `untried`: refused for what was before; a unit that has failed keeps the result of that, also when it is
 * then refused for having been started too often. `began`: unix ms just before it was told to start.
 */
export function startOutcome(
  { state, startedAt, lastExit, reason }: Live,
  began: number,
): "ran" | "untried" | "refused" {
  if (reason?.endsWith(TOO_OFTEN)) return "untried";
  // systemd tells whole seconds.
  const since = began - (began % 1000);
  if (lastExit && lastExit.at >= since) return isSetupFailure(lastExit.exit) ? "refused" : "ran";
  if (state === "running" && startedAt !== undefined && startedAt >= since) return "ran";
  return state === "failed" ? "untried" : "refused";
}

/** Results that say more than the exit does. */
const RESULTS: Readonly<Record<string, string>> = {
  "start-limit-hit": TOO_OFTEN,
  timeout: "it did not react in time",
  "oom-kill": "it was killed because memory ran out",
  resources: "systemd could not provide what it needs",
};

function reasonOf(
  spec: ServerSpec,
  state: StateName,
  { Result, ExecMainStatus = "", LoadState }: Properties,
  exit?: Exit,
) {
  if (state !== "failed" && state !== "restarting") return undefined;
  if (LoadState === "masked") return "it is masked";
  const how =
    exit === undefined
      ? undefined
      : exit.kind === "code"
        ? `exit ${exit.code}`
        : "signal" in exit
          ? exit.signal
          : undefined;
  const setup = exit && isSetupFailure(exit) ? SETUP_FAILURES[ExecMainStatus] : undefined;
  const why =
    setup?.replace("{program}", startedFor(spec)).replace("{workingDir}", spec.workingDir) ??
    RESULTS[Result ?? ""];
  return [how, why].filter((part) => part !== undefined).join(": ") || undefined;
}

function driftOf({ enabled, isEdited, file, spec }: Unit, properties: Properties): string[] {
  const { UnitFileState = "", LoadState, NeedDaemonReload, FragmentPath = "", DropInPaths = "" } = properties;
  // Its file says it all already.
  if (LoadState === "masked" && FragmentPath === file) return [];
  const dropIns = DropInPaths.split(" ").filter((path) =>
    path.includes(`/${systemdUnits.fileName(spec)}.d/`),
  );
  const isEnabled = UnitFileState === "enabled" || UnitFileState === "enabled-runtime";
  const isForNow = UnitFileState === "enabled-runtime";
  return [
    ...(LoadState === "masked" || UnitFileState.startsWith("masked") ? ["its unit is masked"] : []),
    ...(enabled && !isEnabled && UnitFileState !== "" && !UnitFileState.startsWith("masked")
      ? ["its unit is disabled"]
      : []),
    ...(enabled && isForNow ? ["its unit is enabled only until the next boot"] : []),
    ...(!enabled && isEnabled ? ["its unit is enabled"] : []),
    ...(FragmentPath !== "" && FragmentPath !== file
      ? [`another unit of its name comes first: ${FragmentPath}`]
      : []),
    ...(dropIns.length > 0 ? [`settings were laid over its unit: ${dropIns.join(", ")}`] : []),
    ...(NeedDaemonReload === "yes" && !isEdited ? ["systemd has not read its unit again"] : []),
  ];
}

/** Settings for this unit alone; those for all of its kind are the system's. */
export function ownDropIns(spec: ServerSpec, paths = ""): string[] {
  return paths.split(" ").filter((path) => path.includes(`/${systemdUnits.fileName(spec)}.d/`));
}
