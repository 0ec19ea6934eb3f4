import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ThisAccount } from "../../system/account.ts";
import { type Environment, pathsOf } from "../../system/paths.ts";
import { type Answer, type Ask, asking, ServiceError, words } from "../ask.ts";
import { renderTemplate } from "../unit-text.ts";
import type { AgentService, ServiceFacts } from "./service.ts";

const UNIT = "xy-agent.service";

/** The account's own systemd, which runs from login to logout, or from boot if the account lingers. */
export class SystemdUser implements AgentService {
  readonly kind = "systemd";
  readonly file: string;
  readonly #user: string;
  readonly #ask: Ask;

  constructor(env: Environment, account: Pick<ThisAccount, "uid" | "username">, ask?: Ask) {
    this.file = join(pathsOf(env).config, "systemd/user", UNIT);
    this.#user = account.username;
    this.#ask = ask ?? asking({ XDG_RUNTIME_DIR: pathsOf(env).runtime ?? `/run/user/${account.uid}` });
  }

  async unreachable(): Promise<string | undefined> {
    const answer = await this.#systemctl("show", "--property=Version");
    if (answer.code === 0) return undefined;
    return (
      `cannot reach the systemd of this account: ${words(answer)}: ` +
      "log in to it directly (not by su or sudo), and check that XDG_RUNTIME_DIR is set"
    );
  }

  text(facts: ServiceFacts): Promise<string> {
    // The manager sets the runtime folder itself.
    const environment = facts.environment.filter(({ name }) => name !== "XDG_RUNTIME_DIR");
    return renderTemplate("xy-agent.service.hbs", { ...facts, environment });
  }

  stateIn(text: string): string | undefined {
    return /(?:^|\n)\[X-Xy\]\nState=([^\n]*)/.exec(text)?.[1]?.replaceAll("%%", "%");
  }

  async pid(): Promise<number | undefined> {
    const { stdout } = await this.#systemctl("show", "--property=MainPID", "--value", UNIT);
    return Number(stdout) || undefined;
  }

  async register(): Promise<void> {
    await this.#do("daemon-reload");
    await this.#do("enable", UNIT);
  }

  async start(): Promise<void> {
    // Otherwise systemd does not start a unit that has failed too often.
    await this.#systemctl("reset-failed", UNIT);
    await this.#do("start", UNIT);
  }

  async unregister(): Promise<void> {
    await this.#do("disable", UNIT);
  }

  async forget(): Promise<void> {
    await this.#do("daemon-reload");
    await this.#systemctl("reset-failed", UNIT);
  }

  startsAtBoot(): boolean {
    return existsSync(join("/var/lib/systemd/linger", this.#user));
  }

  #systemctl(...args: string[]): Promise<Answer> {
    return this.#ask("systemctl", ["--user", "--no-pager", ...args]);
  }

  async #do(verb: string, ...args: string[]): Promise<void> {
    const answer = await this.#systemctl(verb, ...args);
    if (answer.code !== 0)
      throw new ServiceError(`cannot ${verb} with \`systemctl --user\`: ${words(answer)}`);
  }
}
