import { rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Exit, StateName } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { type Environment, homeOf } from "../../system/paths.ts";
import { processGroups, signalProcess, startedAt } from "../../system/processes.ts";
import { Launchctl, NO_DOMAIN, pidIn } from "../launchctl.ts";
import { fileLines, type LogLine, type LogRequest } from "../log-lines.ts";
import { launchdUnits } from "../render/launchd.ts";
import { unitName } from "../render/unit.ts";
import { type Ask, asking } from "../service.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";

/** Programs that are asked at once. */
const AT_ONCE = 8;

/** The account's launchd, and for servers of class `system` the machine's. */
export class LaunchdManager implements UnitManager {
  readonly kind = "launchd";
  readonly format = launchdUnits;
  readonly keepsOutput = false;
  readonly #home: string;
  readonly #uid: number;
  readonly #launchctl: Launchctl;
  readonly #limit = pLimit(AT_ONCE);
  readonly #logFiles: (name: string) => { out: string; err: string };
  #domain: Promise<string | undefined> | undefined;

  constructor(
    env: Environment,
    account: { readonly uid: number },
    logFiles: (name: string) => { out: string; err: string },
    ask: Ask = asking(),
  ) {
    this.#home = homeOf(env);
    this.#uid = account.uid;
    this.#launchctl = new Launchctl(ask);
    this.#logFiles = logFiles;
  }

  async reach(specs: readonly ServerSpec[]): Promise<void> {
    await Promise.all(specs.map((spec) => this.#domainOf(spec)));
  }

  fileOf(spec: ServerSpec): string {
    const folder =
      spec.class === "system" ? "/Library/LaunchDaemons" : join(this.#home, "Library/LaunchAgents");
    return join(folder, launchdUnits.fileName(spec));
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    const disabled = new Map<string, ReadonlySet<string>>();
    const found = await Promise.all(
      units.map((unit) =>
        this.#limit(async (): Promise<[string, Live]> => {
          const domain = await this.#domainOf(unit.spec);
          if (!disabled.has(domain)) disabled.set(domain, await this.#disabledIn(domain));
          const text = await this.#launchctl.print(`${domain}/${unitName(unit.spec)}`);
          return [unit.spec.name, liveOf(unit, text, disabled.get(domain) ?? new Set())];
        }),
      ),
    );
    return new Map(found);
  }

  /** A job that is loaded keeps what it was loaded with: that is taken in by {@link restart}, or when it is started. */
  async load({ spec, enabled }: Unit): Promise<void> {
    const target = await this.#target(spec);
    await this.#launchctl.do(enabled ? "enable" : "disable", target);
  }

  async start(unit: Unit): Promise<void> {
    const text = await this.#launchctl.print(await this.#target(unit.spec));
    if (text !== undefined && pidIn(text) !== undefined) return;
    await this.restart(unit);
  }

  async restart(unit: Unit): Promise<void> {
    const { spec, file, enabled } = unit;
    const domain = await this.#domainOf(spec);
    await this.stop(unit);
    // launchd refuses to load what is disabled.
    await this.#launchctl.do("enable", `${domain}/${unitName(spec)}`);
    await this.#launchctl.bootstrap(domain, unitName(spec), file);
    if (!enabled) await this.#launchctl.do("disable", `${domain}/${unitName(spec)}`);
  }

  /** One that is to be kept alive is started again as long as it is loaded. */
  async stop({ spec }: Unit): Promise<void> {
    await this.#launchctl.bootOut(await this.#target(spec), spec.stop.grace);
  }

  async kill(unit: Unit): Promise<void> {
    const target = await this.#target(unit.spec);
    const pid = pidIn((await this.#launchctl.print(target)) ?? "");
    // Told to end first, so that nothing starts it again.
    await this.#launchctl.run("bootout", target);
    if (pid !== undefined) {
      const groups = await processGroups();
      for (const member of groups.get(pid) ?? [pid]) signalProcess(member, "SIGKILL");
    }
    await this.stop(unit);
  }

  async forget({ spec, file }: Unit): Promise<void> {
    rmSync(file, { force: true });
    // What launchd has noted of its label would hold for the next one too.
    await this.#launchctl.run("enable", await this.#target(spec));
  }

  logs({ spec }: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine> {
    return fileLines(this.#logFiles(spec.name), request, signal);
  }

  async #target(spec: ServerSpec): Promise<string> {
    return `${await this.#domainOf(spec)}/${unitName(spec)}`;
  }

  #domainOf(spec: ServerSpec): Promise<string> {
    return spec.class === "system" ? Promise.resolve("system") : this.#accountDomain();
  }

  async #accountDomain(): Promise<string> {
    this.#domain ??= this.#launchctl.accountDomain(this.#uid);
    const domain = await this.#domain;
    if (domain === undefined) throw new BackendUnreachable(NO_DOMAIN);
    return domain;
  }

  /** Labels that are not to be loaded. Older versions say `=> true` for it. */
  async #disabledIn(domain: string): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#launchctl.run("print-disabled", domain);
    return new Set(
      [...stdout.matchAll(/"([^"]+)" => (?:disabled|true)\b/g)].map(([, label]) => label as string),
    );
  }
}

function liveOf(
  { spec, enabled, editedAt }: Unit,
  text: string | undefined,
  disabled: ReadonlySet<string>,
): Live {
  const drift = enabled && disabled.has(unitName(spec)) ? ["its job is disabled"] : [];
  if (text === undefined) return { state: "stopped", drift, stale: false, restartCount: 0 };
  const pid = pidIn(text);
  const began = pid === undefined ? undefined : startedAt(pid);
  const lastExit = lastExitIn(text);
  const state = stateOf(spec, pid, lastExit);
  const runs = Number(/^\s*runs = (\d+)/m.exec(text)?.[1] ?? 1);
  return {
    state,
    drift,
    // A file that somebody changed is taken in when it is loaded, which starts it.
    stale:
      pid !== undefined &&
      editedAt !== undefined &&
      (began ?? editedAt) >= Math.floor(editedAt / 1000) * 1000,
    restartCount: Math.max(0, runs - 1),
    ...(pid === undefined ? {} : { pid }),
    ...(began === undefined ? {} : { startedAt: began, since: began }),
    // launchd does not say when that was: it is as if it had been now.
    ...(lastExit ? { lastExit: { exit: lastExit, at: Date.now() } } : {}),
    ...(state === "restarting" && lastExit ? { reason: exitText(lastExit) } : {}),
  };
}

const exitText = (exit: Exit) =>
  exit.kind === "code" ? `exit ${exit.code}` : "signal" in exit ? exit.signal : "";

/** A job that does not run, and is to be kept alive, waits for its next start. */
function stateOf({ restart }: ServerSpec, pid: number | undefined, exit: Exit | undefined): StateName {
  if (pid !== undefined) return "running";
  if (exit === undefined) return "starting";
  const failed = exit.kind !== "code" || exit.code !== 0;
  return restart.policy === "always" || (restart.policy === "on-failure" && failed)
    ? "restarting"
    : "stopped";
}

function lastExitIn(text: string): Exit | undefined {
  const code = /^\s*last exit code = (\d+)/m.exec(text)?.[1];
  if (code !== undefined) return { kind: "code", code: Number(code) };
  const number = /^\s*last terminating signal = (?:.*: )?(\d+)/m.exec(text)?.[1];
  if (number === undefined) return undefined;
  const found = Object.entries(constants.signals).find(([, value]) => value === Number(number));
  return { kind: "signal", signal: found?.[0] ?? `signal ${number}` };
}
