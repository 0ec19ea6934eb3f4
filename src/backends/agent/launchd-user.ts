import { join } from "node:path";
import { type Environment, homeOf } from "../../system/paths.ts";
import { type Ask, asking, ServiceError } from "../ask.ts";
import { Launchctl, NO_DOMAIN, pidIn } from "../launchctl.ts";
import { renderTemplate } from "../unit-text.ts";
import type { AgentService, ServiceFacts } from "./service.ts";

const LABEL = "xyctl.agent";

/** The account's launchd: the domain of its graphical session, or of the account itself without one. */
export class LaunchdUser implements AgentService {
  readonly kind = "launchd";
  readonly file: string;
  readonly #uid: number;
  readonly #launchctl: Launchctl;

  constructor(env: Environment, account: { readonly uid: number }, ask: Ask = asking()) {
    this.file = join(homeOf(env), "Library/LaunchAgents", `${LABEL}.plist`);
    this.#uid = account.uid;
    this.#launchctl = new Launchctl(ask);
  }

  async unreachable(): Promise<string | undefined> {
    return (await this.#domain()) === undefined ? NO_DOMAIN : undefined;
  }

  async text(facts: ServiceFacts): Promise<string> {
    const background = (await this.#domain())?.startsWith("user/") ?? false;
    return renderTemplate("xy-agent.plist.hbs", { ...facts, label: LABEL, background });
  }

  stateIn(text: string): string | undefined {
    const written = /<key>XyState<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1];
    const characters: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", "#13": "\r" };
    return written?.replace(/&(lt|gt|amp|#13);/g, (_, name: string) => characters[name] as string);
  }

  async pid(): Promise<number | undefined> {
    return pidIn((await this.#print()) ?? "");
  }

  async register(): Promise<void> {
    await this.#bootOut();
    const domain = await this.#needed();
    await this.#launchctl.run("enable", `${domain}/${LABEL}`);
    await this.#launchctl.bootstrap(domain, LABEL, this.file);
  }

  /** A loaded job starts by itself only once. */
  async start(): Promise<void> {
    const domain = await this.#needed();
    if ((await this.#print()) === undefined) return this.#launchctl.bootstrap(domain, LABEL, this.file);
    if ((await this.pid()) === undefined) await this.#launchctl.do("kickstart", `${domain}/${LABEL}`);
  }

  unregister(): Promise<void> {
    return this.#bootOut();
  }

  async forget(): Promise<void> {}

  startsAtBoot(): undefined {
    return undefined;
  }

  async #bootOut(): Promise<void> {
    await this.#launchctl.bootOut(`${await this.#needed()}/${LABEL}`);
  }

  #domain(): Promise<string | undefined> {
    return this.#launchctl.accountDomain(this.#uid);
  }

  async #needed(): Promise<string> {
    const domain = await this.#domain();
    if (domain === undefined) throw new ServiceError(NO_DOMAIN);
    return domain;
  }

  async #print(): Promise<string | undefined> {
    return this.#launchctl.print(`${await this.#needed()}/${LABEL}`);
  }
}
