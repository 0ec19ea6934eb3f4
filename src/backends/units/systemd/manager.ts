import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import type { ServerSpec } from "../../../model/spec.ts";
import type { SecretValues } from "../../../model/spec-parts.ts";
import { BackendUnreachable } from "../../../model/unreachable.ts";
import type { ThisAccount } from "../../../system/account.ts";
import { type Environment, pathsOf } from "../../../system/paths.ts";
import { type Answer, ASK_BOUND, type Ask, asking, ServiceError, words } from "../../ask.ts";
import { fileLines, type LogFilesOf, type LogLine, type LogRequest } from "../../log-lines.ts";
import { systemdUnits } from "../../render/systemd.ts";
import { unitName } from "../../render/unit.ts";
import { Coalesced } from "../coalesced.ts";
import type { Live, Unit, UnitManager } from "../manager.ts";
import { hasJournal, journalLines } from "./journal.ts";
import { liveOf, ownDropIns, PROPERTIES, type Properties, propertiesIn, startOutcome } from "./show.ts";

type Class = "user" | "system";

/** Has an entry for each account whose systemd runs from boot. */
const LINGER = "/var/lib/systemd/linger";

type Account = Pick<ThisAccount, "uid" | "username">;

/** How many programs run at once. */
const AT_ONCE = 8;
/** How long a unit may take that systemd retries after a failed start, ms; and the pause between two looks at it. */
const BEGIN_BOUND = 2000;
const BEGIN_GAP = 20;
/** What `systemctl stop` and `disable` print for an unknown unit. */
const UNKNOWN_UNIT = /not loaded|does not exist|not found/;

/** The account's systemd, and for servers of class `system` the machine's. */
export class SystemdManager implements UnitManager {
  readonly kind = "systemd";
  readonly format = systemdUnits;
  readonly secrets = { text: environmentFile, fault: secretFault };
  readonly #account: Account;
  readonly #folder: string;
  readonly #ask: Ask;
  readonly #limit = pLimit(AT_ONCE);
  readonly #reloads = { user: this.#reloading("user"), system: this.#reloading("system") };
  readonly #looks = new Coalesced((requests: readonly (readonly Unit[])[]) => this.#lookAt(requests.flat()));
  readonly #files: LogFilesOf;
  readonly #hasJournal = hasJournal();

  constructor(
    env: Environment,
    account: Account,
    files: LogFilesOf,
    ask: Ask = asking({ XDG_RUNTIME_DIR: pathsOf(env).runtime ?? `/run/user/${account.uid}` }),
  ) {
    this.#folder = join(pathsOf(env).config, "systemd/user");
    this.#account = account;
    this.#ask = ask;
    this.#files = files;
  }

  async reach(specs: readonly ServerSpec[]): Promise<void> {
    for (const scope of new Set(specs.map(classOf))) await this.#reach(scope);
  }

  /** Each server has one place, decided by its class. */
  siteOf(): undefined {
    return undefined;
  }

  logFiles({ name }: ServerSpec) {
    return this.#hasJournal ? undefined : this.#files(name);
  }

  fileOf(spec: ServerSpec): string {
    const folder = spec.class === "system" ? "/etc/systemd/system" : this.#folder;
    return join(folder, systemdUnits.fileName(spec));
  }

  /** Units of the account's systemd stop with the account's last login session. */
  hint(spec: ServerSpec): string | undefined {
    const { username } = this.#account;
    if (classOf(spec) === "system" || existsSync(join(LINGER, username))) return undefined;
    return `servers under ${username}'s systemd run only while you are logged in; with \`loginctl enable-linger\` they run from boot on`;
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
        const properties = propertiesIn(block, PROPERTIES);
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

  /** Removes drop-ins for this unit alone, and an enablement until the next boot. */
  async takeBack({ spec }: Unit): Promise<void> {
    const scope = classOf(spec);
    const answer = await this.#systemctl(scope, ["show", "--property=DropInPaths,UnitFileState", idOf(spec)]);
    const { UnitFileState, DropInPaths } = propertiesIn(answer.stdout, PROPERTIES);
    if (UnitFileState === "enabled-runtime")
      await this.#do(scope, ["--no-reload", "--quiet", "--runtime", "disable", idOf(spec)]);
    for (const path of ownDropIns(spec, DropInPaths)) {
      try {
        rmSync(path);
        if (readdirSync(dirname(path)).length === 0) rmdirSync(dirname(path));
      } catch (error) {
        throw new ServiceError(
          `cannot remove ${path}, which is laid over the unit: ${(error as Error).message}`,
        );
      }
    }
  }

  start({ spec }: Unit): Promise<void> {
    return this.#start(spec);
  }

  async begin({ spec }: Unit, how: "stop" | "kill"): Promise<void> {
    const scope = classOf(spec);
    const answer = await this.#systemctl(scope, ["--no-block", "stop", idOf(spec)]);
    if (answer.code !== 0 && !UNKNOWN_UNIT.test(answer.stderr)) throw refusal(how, spec, answer);
    // Told to stop first, so that nothing restarts it.
    if (how === "kill") await this.#systemctl(scope, ["kill", "--signal=SIGKILL", idOf(spec)]);
  }

  async stop({ spec }: Unit): Promise<void> {
    const answer = await this.#systemctl(classOf(spec), ["stop", idOf(spec)], boundOf(spec));
    if (answer.code !== 0 && !UNKNOWN_UNIT.test(answer.stderr)) throw refusal("stop", spec, answer);
    // Otherwise systemd would remember a failed unit for good.
    await this.#systemctl(classOf(spec), ["reset-failed", idOf(spec)]);
  }

  async kill(unit: Unit): Promise<void> {
    await this.begin(unit, "kill");
    await this.stop(unit);
  }

  async forget(unit: Unit): Promise<void> {
    const scope = classOf(unit.spec);
    const answer = await this.#systemctl(scope, ["--no-reload", "--quiet", "disable", idOf(unit.spec)]);
    if (answer.code !== 0 && !UNKNOWN_UNIT.test(answer.stderr)) throw refusal("disable", unit.spec, answer);
    await this.takeBack(unit);
    rmSync(unit.file, { force: true });
    await this.#reloads[scope].ask();
    await this.#systemctl(scope, ["reset-failed", idOf(unit.spec)]);
  }

  logs({ spec }: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine> {
    if (!this.#hasJournal) return fileLines(this.#files(spec.name), request, signal);
    return journalLines({ identifier: unitName(spec), uid: this.#account.uid }, request, signal);
  }

  #reloading(scope: Class): { ask(): Promise<void> } {
    const reloads = new Coalesced(() => this.#do(scope, ["daemon-reload"]));
    return { ask: () => reloads.ask(undefined) };
  }

  async #reach(scope: Class): Promise<void> {
    const answer = await this.#systemctl(scope, ["show", "--property=Version"]);
    if (answer.code !== 0) throw unreachable(scope, answer);
  }

  /** systemctl only says that a start failed, so the reason is looked up. */
  async #start(spec: ServerSpec, again = false): Promise<void> {
    const began = Date.now();
    const answer = await this.#systemctl(classOf(spec), ["start", idOf(spec)], boundOf(spec));
    if (answer.code === 0) return;
    const live = await this.#lookAfterStart(spec);
    const outcome = startOutcome(live, began);
    // The caller that waits for it decides what its exit means.
    if (outcome === "ran") return;
    if (outcome === "untried" && !again) {
      // It had failed too often by itself: an explicit start still starts it.
      await this.#systemctl(classOf(spec), ["reset-failed", idOf(spec)]);
      return this.#start(spec, true);
    }
    if (live.reason !== undefined) throw new ServiceError(`cannot start ${spec.name}: ${live.reason}`);
    throw refusal("start", spec, answer);
  }

  /** As {@link look}, once it is no longer starting: after a failed start, systemd may be retrying it. */
  async #lookAfterStart(spec: ServerSpec): Promise<Live> {
    const unit = { spec, file: this.fileOf(spec), enabled: true, isEdited: false, isTouched: false };
    for (const until = Date.now() + BEGIN_BOUND; ; ) {
      const live = (await this.look([unit])).get(spec.name) ?? liveOf(unit, {});
      if (live.state !== "starting" || Date.now() >= until) return live;
      await new Promise((resolve) => setTimeout(resolve, BEGIN_GAP));
    }
  }

  async #do(scope: Class, args: readonly string[]): Promise<void> {
    const answer = await this.#systemctl(scope, args);
    const [verb = ""] = args.filter((word) => !word.startsWith("--"));
    if (answer.code !== 0)
      throw new ServiceError(
        `cannot ${verb} with \`systemctl${scope === "user" ? " --user" : ""}\`: ${words(answer)}`,
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
/** systemctl waits until the old process has exited. */
const boundOf = ({ stop }: ServerSpec) => stop.grace + ASK_BOUND;

const refusal = (verb: string, spec: ServerSpec, answer: Answer) =>
  new ServiceError(`cannot ${verb} ${spec.name} with systemctl: ${words(answer)}`);

function unreachable(scope: Class, answer: Answer): BackendUnreachable {
  const why = words(answer);
  return new BackendUnreachable(
    scope === "system"
      ? `cannot reach the systemd of this machine: ${why}; check that it was booted with systemd`
      : `cannot reach the systemd of this account: ${why}; log in to it directly (not by su or sudo), and check that XDG_RUNTIME_DIR is set`,
  );
}

/** In double quotes, an `EnvironmentFile=` takes everything literally but these. */
function environmentFile(values: SecretValues): string {
  const quoted = (value: string) => `"${value.replace(/["\\`$]/g, "\\$&")}"`;
  return Object.keys(values)
    .sort()
    .map((name) => `${name}=${quoted(values[name] ?? "")}\n`)
    .join("");
}

function secretFault(value: string): string | undefined {
  return /\p{Noncharacter_Code_Point}|\p{Surrogate}/u.test(value)
    ? "its value has a code point that is not a character, such as U+FFFE"
    : undefined;
}
