import { join } from "node:path";
import { type Environment, homeOf } from "../system/paths.ts";
import {
  type AgentService,
  type Answer,
  type Ask,
  asking,
  ServiceError,
  type ServiceFacts,
  words,
} from "./service.ts";
import { renderTemplate } from "./unit-text.ts";

const LABEL = "xyctl.agent";
const LAUNCHCTL = "/bin/launchctl";

/** What launchctl's codes mean, as far as they matter. */
const CODES = { inputOutput: 5, alreadyLoaded: 37 } as const;

/** Longest wait for a job that is booted out to be gone, ms, and between two looks. */
const GONE_BOUND = 30_000;
const GONE_GAP = 100;

/** The account's launchd: of its graphical session, or of the account itself where there is none. */
export class LaunchdUser implements AgentService {
  readonly kind = "launchd";
  readonly file: string;
  readonly #uid: number;
  readonly #ask: Ask;

  constructor(env: Environment, account: { readonly uid: number }, ask: Ask = asking()) {
    this.file = join(homeOf(env), "Library/LaunchAgents", `${LABEL}.plist`);
    this.#uid = account.uid;
    this.#ask = ask;
  }

  async unreachable(): Promise<string | undefined> {
    if ((await this.#domain()) !== undefined) return undefined;
    return "cannot reach launchd: neither a graphical session nor this account is known to it; log in, and try again";
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
    const { code, stdout } = await this.#print();
    return code === 0 ? Number(/^\s*pid = (\d+)/m.exec(stdout)?.[1]) || undefined : undefined;
  }

  async register(): Promise<void> {
    await this.#bootOut();
    const domain = await this.#needed();
    await this.#launchctl("enable", `${domain}/${LABEL}`);
    await this.#bootstrap(domain);
  }

  /** A job that is loaded starts by itself only once. */
  async start(): Promise<void> {
    const domain = await this.#needed();
    if ((await this.#print()).code !== 0) return this.#bootstrap(domain);
    if ((await this.pid()) === undefined) await this.#do("kickstart", `${domain}/${LABEL}`);
  }

  unregister(): Promise<void> {
    return this.#bootOut();
  }

  async forget(): Promise<void> {}

  startsAtBoot(): undefined {
    return undefined;
  }

  /** An input/output error: it is still there, or still dying. */
  async #bootstrap(domain: string): Promise<void> {
    const first = await this.#launchctl("bootstrap", domain, this.file);
    if (first.code === 0 || first.code === CODES.alreadyLoaded) return;
    if (first.code !== CODES.inputOutput) throw refusal("bootstrap", first);
    await this.#bootOut();
    await this.#do("bootstrap", domain, this.file);
  }

  async #bootOut(): Promise<void> {
    const until = Date.now() + GONE_BOUND;
    for (let asked = false; (await this.#print()).code === 0; asked = true) {
      if (!asked) await this.#launchctl("bootout", `${await this.#needed()}/${LABEL}`);
      if (Date.now() > until) throw new ServiceError(`cannot boot out ${LABEL}: launchd still has it`);
      await new Promise((resolve) => setTimeout(resolve, GONE_GAP));
    }
  }

  async #domain(): Promise<string | undefined> {
    for (const domain of [`gui/${this.#uid}`, `user/${this.#uid}`]) {
      if ((await this.#launchctl("print", domain)).code === 0) return domain;
    }
    return undefined;
  }

  async #needed(): Promise<string> {
    const domain = await this.#domain();
    if (domain === undefined) throw new ServiceError((await this.unreachable()) ?? "cannot reach launchd");
    return domain;
  }

  async #print(): Promise<Answer> {
    return this.#launchctl("print", `${await this.#needed()}/${LABEL}`);
  }

  #launchctl(...args: string[]): Promise<Answer> {
    return this.#ask(LAUNCHCTL, args);
  }

  async #do(verb: string, ...args: string[]): Promise<void> {
    const answer = await this.#launchctl(verb, ...args);
    if (answer.code !== 0) throw refusal(verb, answer);
  }
}

const refusal = (verb: string, answer: Answer) =>
  new ServiceError(`cannot ${verb} by launchctl: ${words(answer)} (code ${answer.code})`);
