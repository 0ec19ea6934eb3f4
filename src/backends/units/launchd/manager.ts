import { rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Exit, StateName } from "../../../model/observed.ts";
import type { ServerSpec } from "../../../model/spec.ts";
import { BackendUnreachable } from "../../../model/unreachable.ts";
import { withoutUndefined } from "../../../model/without-undefined.ts";
import { unitFamily } from "../../../system/family.ts";
import { type Environment, homeOf } from "../../../system/paths.ts";
import { signalExactly, startedAt } from "../../../system/processes.ts";
import { type Ask, asking } from "../../ask.ts";
import {
  isLeaving,
  Launchctl,
  lastPropertyIn,
  NO_DOMAIN,
  numberIn,
  pidIn,
  stateIn,
} from "../../launchctl.ts";
import { fileLines, type LogFilesOf, type LogLine, type LogRequest } from "../../log-lines.ts";
import { launchdUnits } from "../../render/launchd.ts";
import { startedFor, unitName } from "../../render/unit.ts";
import { endWhole } from "../ending.ts";
import type { Live, Site, Unit, UnitManager } from "../manager.ts";
import { isStale } from "../stale.ts";

/** How many programs run at once. */
const AT_ONCE = 8;

/** The account's launchd, and for servers of class `system` the machine's. */
export class LaunchdManager implements UnitManager {
  readonly kind = "launchd";
  readonly format = launchdUnits;
  readonly #home: string;
  readonly #launchctl: Launchctl;
  readonly #limit = pLimit(AT_ONCE);
  readonly #files: LogFilesOf;
  /** The account's domain; undefined if launchd knows none. */
  readonly #domain: string | undefined;

  private constructor(env: Environment, launchctl: Launchctl, domain: string | undefined, files: LogFilesOf) {
    this.#home = homeOf(env);
    this.#launchctl = launchctl;
    this.#domain = domain;
    this.#files = files;
  }

  static async open(
    env: Environment,
    account: { readonly uid: number },
    files: LogFilesOf,
    ask: Ask = asking(),
  ): Promise<LaunchdManager> {
    const launchctl = new Launchctl(ask);
    return new LaunchdManager(env, launchctl, await launchctl.accountDomain(account.uid), files);
  }

  get isBackground(): boolean {
    return this.#domain?.startsWith("user/") ?? false;
  }

  async reach(specs: readonly ServerSpec[]): Promise<void> {
    for (const spec of specs) this.#domainOf(spec);
  }

  /** An account may have both domains: the job is in the one that was used first. */
  siteOf(spec: ServerSpec): Site {
    return { domain: this.#domainOf(spec) };
  }

  fileOf(spec: ServerSpec): string {
    const folder =
      spec.class === "system" ? "/Library/LaunchDaemons" : join(this.#home, "Library/LaunchAgents");
    return join(folder, launchdUnits.fileName(spec));
  }

  logFiles({ name }: ServerSpec) {
    return this.#files(name);
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    const domains = [...new Set(units.map((unit) => this.#siteOf(unit)))];
    const disabled = new Map(
      await Promise.all(domains.map(async (domain) => [domain, await this.#disabledIn(domain)] as const)),
    );
    const found = await Promise.all(
      units.map((unit) =>
        this.#limit(async (): Promise<[string, Live]> => {
          const domain = this.#siteOf(unit);
          const text = await this.#launchctl.print(`${domain}/${unitName(unit.spec)}`);
          const live = liveOf(unit, text, disabled.get(domain) ?? new Set());
          const isElsewhere = domain !== this.#domainOf(unit.spec);
          return [unit.spec.name, { ...live, ...(isElsewhere ? { isElsewhere } : {}) }];
        }),
      ),
    );
    return new Map(found);
  }

  /** A loaded job keeps what it was loaded with: changes take effect when it is started. */
  async load(unit: Unit): Promise<void> {
    await this.#launchctl.do(unit.enabled ? "enable" : "disable", this.#target(unit));
  }

  async start(unit: Unit): Promise<void> {
    const { spec, file, enabled } = unit;
    const target = this.#target(unit);
    const text = await this.#launchctl.print(target);
    if (text !== undefined && pidIn(text) !== undefined) return;
    await this.#launchctl.bootOut(target, spec.stop.grace);
    // launchd refuses to load a disabled job.
    await this.#launchctl.do("enable", target);
    await this.#launchctl.bootstrap(this.#siteOf(unit), unitName(spec), file);
    if (!enabled) await this.#launchctl.do("disable", target);
  }

  /** A job with KeepAlive is restarted as long as it is loaded, so it is unloaded. */
  async stop(unit: Unit): Promise<void> {
    const target = this.#target(unit);
    const pid = pidIn((await this.#launchctl.print(target)) ?? "");
    await endWhole(unit.spec, pid, () => this.#launchctl.bootOut(target, unit.spec.stop.grace));
  }

  async begin(unit: Unit, how: "stop" | "kill"): Promise<void> {
    const target = this.#target(unit);
    const text = await this.#launchctl.print(target);
    if (text === undefined) return;
    const family = how === "kill" ? await unitFamily(pidIn(text)) : [];
    // Booted out first, so that nothing restarts it.
    await this.#launchctl.beginBootOut(target);
    for (const one of family) signalExactly(one, "SIGKILL");
  }

  async kill(unit: Unit): Promise<void> {
    await this.begin(unit, "kill");
    await this.stop(unit);
  }

  async forget(unit: Unit): Promise<void> {
    rmSync(unit.file, { force: true });
    // What launchd recorded for the label would also apply to the next job with it.
    await this.#launchctl.run("enable", this.#target(unit));
  }

  logs({ spec }: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine> {
    return fileLines(this.#files(spec.name), request, signal);
  }

  #target(unit: Unit): string {
    return `${this.#siteOf(unit)}/${unitName(unit.spec)}`;
  }

  #siteOf({ site, spec }: Unit): string {
    return site?.domain ?? this.#domainOf(spec);
  }

  #domainOf(spec: ServerSpec): string {
    const domain = spec.class === "system" ? "system" : this.#domain;
    if (domain === undefined) throw new BackendUnreachable(NO_DOMAIN);
    return domain;
  }

  /** Labels of disabled jobs. Older versions print `=> true` for them. */
  async #disabledIn(domain: string): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#launchctl.run("print-disabled", domain);
    return new Set(
      [...stdout.matchAll(/"([^"]+)" => (?:disabled|true)\b/g)].map(([, label]) => label as string),
    );
  }
}

/** A unit's state, from the output of `launchctl print`. */
export function liveOf(unit: Unit, text: string | undefined, disabled: ReadonlySet<string>): Live {
  const { spec, enabled } = unit;
  const isDisabled = disabled.has(unitName(spec));
  const drift =
    enabled && isDisabled ? ["its job is disabled"] : !enabled && !isDisabled ? ["its job is enabled"] : [];
  if (text === undefined) return { state: "stopped", drift, stale: false, restartCount: 0 };
  const pid = pidIn(text);
  const began = pid === undefined ? undefined : startedAt(pid);
  const lastExit = lastExitIn(text);
  const cannotStart = stateIn(text)?.startsWith("spawn failed") ?? false;
  const state = cannotStart ? "failed" : isLeaving(text) ? "stopping" : stateOf(spec, pid, lastExit);
  const runs = numberIn(lastPropertyIn(text, "runs")) ?? 1;
  const reason = cannotStart
    ? `its program cannot be run: ${startedFor(spec)}`
    : lastExit && exitText(lastExit);
  return {
    state,
    drift,
    stale: isStale(unit, pid, began),
    restartCount: Math.max(0, runs - 1),
    ...withoutUndefined({ pid }),
    ...(began === undefined ? {} : { startedAt: began, since: began }),
    // launchd does not say when that was: now stands for it.
    ...(lastExit ? { lastExit: { exit: lastExit, at: Date.now() } } : {}),
    ...((state === "restarting" || cannotStart) && reason ? { reason } : {}),
  };
}

const exitText = (exit: Exit) =>
  exit.kind === "code" ? `exit ${exit.code}` : "signal" in exit ? exit.signal : "";

/** A job with KeepAlive that does not run is waiting for its next start. */
function stateOf({ restart }: ServerSpec, pid: number | undefined, exit: Exit | undefined): StateName {
  if (pid !== undefined) return "running";
  if (exit === undefined) return "starting";
  const failed = exit.kind !== "code" || exit.code !== 0;
  return restart.policy === "always" || (restart.policy === "on-failure" && failed)
    ? "restarting"
    : "stopped";
}

function lastExitIn(text: string): Exit | undefined {
  // Newer versions add what the code means.
  const code = numberIn(lastPropertyIn(text, "last exit code")?.split(":")[0]);
  if (code !== undefined) return { kind: "code", code };
  const number = numberIn(lastPropertyIn(text, "last terminating signal")?.split(": ").at(-1));
  if (number === undefined) return undefined;
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return { kind: "signal", signal: found?.[0] ?? `signal ${number}` };
}
