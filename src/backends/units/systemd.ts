import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import type { Exit, StateName } from "../../model/observed.ts";
import type { SecretValues, ServerSpec } from "../../model/spec.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { type Environment, homeOf } from "../../system/paths.ts";
import { fileLines, type LogLine, type LogRequest } from "../log-lines.ts";
import { systemdUnits } from "../render/systemd.ts";
import { unitName } from "../render/unit.ts";
import { type Answer, ASK_BOUND, type Ask, asking, ServiceError, words } from "../service.ts";
import { Coalesced } from "./coalesced.ts";
import { hasJournal, journalLines } from "./journal.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";

type Class = "user" | "system";

/** Has an entry for each account whose systemd runs from boot on. */
const LINGER = "/var/lib/systemd/linger";

interface Account {
  readonly uid: number;
  readonly username: string;
}

/** Programs that are asked at once. */
const AT_ONCE = 8;
/** Answers of systemctl for a unit that it does not know: of `stop`, of `disable`. */
const UNKNOWN_UNIT = /not loaded|does not exist|not found/;

const PROPERTIES = [
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
type Properties = Readonly<Partial<Record<(typeof PROPERTIES)[number], string>>>;

/** The account's systemd, and for servers of class `system` the machine's. */
export class SystemdManager implements UnitManager {
  readonly kind = "systemd";
  readonly format = systemdUnits;
  readonly keepsOutput: boolean;
  readonly #account: Account;
  readonly #folder: string;
  readonly #ask: Ask;
  readonly #limit = pLimit(AT_ONCE);
  readonly #reloads = { user: this.#reloading("user"), system: this.#reloading("system") };
  readonly #looks = new Coalesced((requests: readonly (readonly Unit[])[]) => this.#lookAt(requests.flat()));
  #logFiles: (name: string) => { out: string; err: string };

  constructor(
    env: Environment,
    account: Account,
    logFiles: (name: string) => { out: string; err: string },
    ask: Ask = asking({ XDG_RUNTIME_DIR: env.XDG_RUNTIME_DIR || `/run/user/${account.uid}` }),
  ) {
    const config = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : join(homeOf(env), ".config");
    this.#folder = join(config, "systemd/user");
    this.#account = account;
    this.#ask = ask;
    this.#logFiles = logFiles;
    this.keepsOutput = hasJournal();
  }

  async reach(specs: readonly ServerSpec[]): Promise<void> {
    for (const scope of new Set(specs.map(classOf))) await this.#reach(scope);
  }

  fileOf(spec: ServerSpec): string {
    const folder = spec.class === "system" ? "/etc/systemd/system" : this.#folder;
    return join(folder, systemdUnits.fileName(spec));
  }

  /** In double quotes an `EnvironmentFile=` keeps everything but these. */
  secretsText(values: SecretValues): string {
    const quoted = (value: string) => `"${value.replace(/["\\`$]/g, "\\$&")}"`;
    return Object.keys(values)
      .sort()
      .map((name) => `${name}=${quoted(values[name] ?? "")}\n`)
      .join("");
  }

  secretFault(value: string): string | undefined {
    return /\p{Noncharacter_Code_Point}|\p{Surrogate}/u.test(value)
      ? "its value has a code point that is no character, such as U+FFFE"
      : undefined;
  }

  /** What runs under the account's systemd ends with the account's last session. */
  hint(spec: ServerSpec): string | undefined {
    const { username } = this.#account;
    if (classOf(spec) === "system" || existsSync(join(LINGER, username))) return undefined;
    return `servers under the systemd of ${username} run while you are logged in; \`loginctl enable-linger\` has them run from boot on`;
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    return units.length === 0 ? new Map() : this.#looks.ask(units);
  }

  async #lookAt(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    const found = new Map<string, Properties>();
    for (const scope of ["user", "system"] as const) {
      const names = new Set(
        units.filter(({ spec }) => classOf(spec) === scope).map(({ spec }) => idOf(spec)),
      );
      if (names.size === 0) continue;
      const answer = await this.#systemctl(scope, ["show", `--property=${PROPERTIES.join(",")}`, ...names]);
      if (answer.code !== 0) throw unreachable(scope, answer);
      for (const block of answer.stdout.split("\n\n")) {
        const properties = propertiesIn(block);
        if (properties.Id !== undefined) found.set(`${scope} ${properties.Id}`, properties);
      }
    }
    return new Map(
      units.map((unit) => {
        const properties = found.get(`${classOf(unit.spec)} ${idOf(unit.spec)}`) ?? {};
        return [unit.spec.name, liveOf(unit, properties)];
      }),
    );
  }

  async load(unit: Unit): Promise<void> {
    const scope = classOf(unit.spec);
    const verb = unit.enabled ? "enable" : "disable";
    await this.#do(scope, ["--no-reload", "--quiet", verb, idOf(unit.spec)]);
    await this.#reloads[scope].ask();
  }

  /** Settings in folders of its own: `revert` would touch more. */
  async takeBack({ spec, file }: Unit): Promise<void> {
    for (const folder of [
      `${file}.d`,
      join(dirname(dirname(file)), `${classOf(spec)}.control`, `${idOf(spec)}.d`),
    ])
      rmSync(folder, { recursive: true, force: true });
  }

  start({ spec }: Unit): Promise<void> {
    return this.#run(spec, "start");
  }

  restart({ spec }: Unit): Promise<void> {
    return this.#run(spec, "restart");
  }

  async stop({ spec }: Unit): Promise<void> {
    const answer = await this.#systemctl(classOf(spec), ["stop", idOf(spec)], boundOf(spec));
    if (answer.code !== 0 && !UNKNOWN_UNIT.test(answer.stderr)) throw refusal("stop", spec, answer);
    // A failed unit would be kept in mind for good.
    await this.#systemctl(classOf(spec), ["reset-failed", idOf(spec)]);
  }

  async kill(unit: Unit): Promise<void> {
    const scope = classOf(unit.spec);
    // Told to stop first, so that nothing starts it again.
    await this.#systemctl(scope, ["--no-block", "stop", idOf(unit.spec)]);
    await this.#systemctl(scope, ["kill", "--signal=SIGKILL", idOf(unit.spec)]);
    await this.stop(unit);
  }

  async forget(unit: Unit): Promise<void> {
    const scope = classOf(unit.spec);
    const answer = await this.#systemctl(scope, ["--no-reload", "--quiet", "disable", idOf(unit.spec)]);
    if (answer.code !== 0 && !UNKNOWN_UNIT.test(answer.stderr)) throw refusal("disable", unit.spec, answer);
    rmSync(unit.file, { force: true });
    await this.takeBack(unit);
    await this.#reloads[scope].ask();
    await this.#systemctl(scope, ["reset-failed", idOf(unit.spec)]);
  }

  logs({ spec }: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine> {
    if (!this.keepsOutput) return fileLines(this.#logFiles(spec.name), request, signal);
    return journalLines({ identifier: unitName(spec), uid: this.#account.uid }, request, signal);
  }

  close(): void {}

  #reloading(scope: Class): { ask(): Promise<void> } {
    const reloads = new Coalesced(() => this.#do(scope, ["daemon-reload"]));
    return { ask: () => reloads.ask(undefined) };
  }

  async #reach(scope: Class): Promise<void> {
    const answer = await this.#systemctl(scope, ["show", "--property=Version"]);
    if (answer.code !== 0) throw unreachable(scope, answer);
  }

  /** Has it started, or started again; what systemd says of the failure is that it failed, so that is looked up. */
  async #run(spec: ServerSpec, verb: "start" | "restart", again = false): Promise<void> {
    const answer = await this.#systemctl(classOf(spec), [verb, idOf(spec)], boundOf(spec));
    if (answer.code === 0) return;
    const live = (await this.look([{ spec, file: this.fileOf(spec), enabled: true }])).get(spec.name);
    if (!again && live?.reason?.endsWith(TOO_OFTEN)) {
      // That is about starts by itself: who says so now starts it all the same.
      await this.#systemctl(classOf(spec), ["reset-failed", idOf(spec)]);
      return this.#run(spec, verb, true);
    }
    // It was started, and has ended since: what that means is judged by whoever waits for it.
    if (live?.lastExit !== undefined && !isSetupFailure(live.lastExit.exit)) return;
    if (live?.reason !== undefined) throw new ServiceError(`cannot ${verb} ${spec.name}: ${live.reason}`);
    throw refusal(verb, spec, answer);
  }

  async #do(scope: Class, args: readonly string[]): Promise<void> {
    const answer = await this.#systemctl(scope, args);
    const [verb = ""] = args.filter((word) => !word.startsWith("--"));
    if (answer.code !== 0)
      throw new ServiceError(
        `cannot ${verb} by \`systemctl${scope === "user" ? " --user" : ""}\`: ${words(answer)}`,
      );
  }

  #systemctl(scope: Class, args: readonly string[], bound?: number): Promise<Answer> {
    const own = scope === "user" ? ["--user"] : [];
    return this.#limit(() =>
      this.#ask("systemctl", [...own, "--no-pager", "--no-ask-password", ...args], bound),
    );
  }
}

const classOf = (spec: Pick<ServerSpec, "class">): Class => spec.class ?? "user";
const idOf = (spec: ServerSpec) => systemdUnits.fileName(spec);
/** systemctl waits for the end of the old process. */
const boundOf = ({ stop }: ServerSpec) => stop.grace + ASK_BOUND;

const refusal = (verb: string, spec: ServerSpec, answer: Answer) =>
  new ServiceError(`cannot ${verb} ${spec.name} by systemctl: ${words(answer)}`);

function unreachable(scope: Class, answer: Answer): BackendUnreachable {
  const why = words(answer);
  return new BackendUnreachable(
    scope === "system"
      ? `cannot reach the systemd of this machine: ${why}; see that it was booted with systemd`
      : `cannot reach the systemd of this account: ${why}; log in to it directly (not by su or sudo), and see that XDG_RUNTIME_DIR is set`,
  );
}

function propertiesIn(block: string): Properties {
  return Object.fromEntries(
    block.split("\n").flatMap((line) => {
      const cut = line.indexOf("=");
      return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1)]];
    }),
  );
}

function liveOf(unit: Unit, properties: Properties): Live {
  const state = stateOf(unit.spec, properties);
  const pid = Number(properties.MainPID) || undefined;
  const startedAt = timeOf(properties.ExecMainStartTimestamp);
  const since = timeOf(properties.StateChangeTimestamp);
  const lastExit = lastExitOf(properties);
  const reason = reasonOf(unit.spec, state, properties, lastExit?.exit);
  return {
    state,
    drift: driftOf(unit, properties),
    stale: pid !== undefined && isStale(unit, properties, startedAt),
    ...(properties.NRestarts ? { restartCount: Number(properties.NRestarts) } : {}),
    ...(pid === undefined ? {} : { pid, ...(startedAt === undefined ? {} : { startedAt }) }),
    ...(lastExit ? { lastExit } : {}),
    ...(since === undefined ? {} : { since }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function stateOf(
  { restart }: ServerSpec,
  { ActiveState, SubState, Result, ExecMainStatus = "" }: Properties,
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
      // What is never started again has ended, however it did, as long as it had begun.
      const hasEnded =
        /^(exit-code|signal|core-dump)$/.test(Result ?? "") && !(ExecMainStatus in SETUP_FAILURES);
      return hasEnded && restart.policy === "never" ? "stopped" : "failed";
    }
    default:
      return "stopped";
  }
}

/** `Thu 2026-11-26 01:15:53 UTC` as unix ms; undefined for what did not happen. */
function timeOf(text: string | undefined): number | undefined {
  const at = Date.parse(text?.replace(/^\w+ /, "") ?? "");
  return Number.isNaN(at) ? undefined : at;
}

const EXITED = "1";

/** A unit that was told to stop leaves its active state before its process ends, another one after that. */
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

/** Exit codes that systemd gives when it does not come to run the program: see systemd.exec(5). */
const SETUP_FAILURES: Readonly<Record<string, string>> = {
  "200": "its working folder cannot be entered: {workingDir}",
  "203": "its program cannot be run: {program}",
  "209": "its standard output cannot be opened",
  "216": "its group is not there",
  "217": "its account is not there",
};

const isSetupFailure = (exit: Exit) => exit.kind === "code" && String(exit.code) in SETUP_FAILURES;

const TOO_OFTEN = "it was started too often";

/** Results that say more than the exit does. */
const RESULTS: Readonly<Record<string, string>> = {
  "start-limit-hit": TOO_OFTEN,
  timeout: "it did not do in time what it was told",
  "oom-kill": "it was ended because memory ran out",
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
    setup?.replace("{program}", spec.program).replace("{workingDir}", spec.workingDir) ??
    RESULTS[Result ?? ""];
  return [how, why].filter((part) => part !== undefined).join(": ") || undefined;
}

function driftOf({ enabled, editedAt, file, spec }: Unit, properties: Properties): string[] {
  const { UnitFileState = "", LoadState, NeedDaemonReload, FragmentPath = "", DropInPaths = "" } = properties;
  // Its file says it all already.
  if (LoadState === "masked" && FragmentPath === file) return [];
  const dropIns = DropInPaths.split(" ").filter((path) => path.includes(`/${idOf(spec)}.d/`));
  const isEnabled = /^(enabled|linked)/.test(UnitFileState);
  return [
    ...(LoadState === "masked" || UnitFileState.startsWith("masked") ? ["its unit is masked"] : []),
    ...(enabled && !isEnabled && UnitFileState !== "" && !UnitFileState.startsWith("masked")
      ? ["its unit is disabled"]
      : []),
    ...(!enabled && isEnabled ? ["its unit is enabled"] : []),
    ...(FragmentPath !== "" && FragmentPath !== file
      ? [`another unit of its name comes first: ${FragmentPath}`]
      : []),
    ...(dropIns.length > 0 ? [`settings were laid over its unit: ${dropIns.join(", ")}`] : []),
    ...(NeedDaemonReload === "yes" && editedAt === undefined ? ["systemd has not read its unit again"] : []),
  ];
}

/** Started since somebody else changed its file, or laid something over it, and systemd had read that. */
function isStale({ editedAt, file }: Unit, { NeedDaemonReload }: Properties, startedAt = 0): boolean {
  const changes = [...(editedAt === undefined ? [] : [editedAt]), ...changesIn(`${file}.d`)];
  // Its start is known to the second.
  const isSince = (at: number) => startedAt >= Math.floor(at / 1000) * 1000;
  return NeedDaemonReload !== "yes" && changes.some(isSince);
}

/** Unix ms at which each file of a folder was last changed. */
function changesIn(folder: string): number[] {
  try {
    return readdirSync(folder).map((entry) => statSync(join(folder, entry)).ctimeMs);
  } catch {
    return [];
  }
}
