import { type Answer, type Ask, ServiceError, words } from "./ask.ts";

/** Running `launchctl` for jobs, by their labels. */

const LAUNCHCTL = "/bin/launchctl";

/** The exit codes that matter. `inProgress`: the job is loaded, or still exiting. */
const CODES = { noProcess: 3, inputOutput: 5, inProgress: 37, notFound: 113 } as const;

/** How long a job that was just booted out may prevent being loaded again, ms. */
const SETTLE_BOUND = 10_000;
const SETTLE_GAP = 300;

/** Longest wait, beyond its own grace period, for a job to be gone after a bootout, ms; and the pause between two looks. */
const GONE_BOUND = 30_000;
const GONE_GAP = 100;

/** Longest wait until a job has begun to exit, ms; and the pause between two looks. */
const BEGIN_BOUND = 1000;
const BEGIN_GAP = 20;

export class Launchctl {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  run(...args: string[]): Promise<Answer> {
    return this.#ask(LAUNCHCTL, args);
  }

  /** As {@link run}, but throws on a refusal. */
  async do(verb: string, ...args: string[]): Promise<void> {
    const answer = await this.run(verb, ...args);
    if (answer.code !== 0) throw refusal(verb, answer);
  }

  /** The domain of the account's graphical session, else of the account itself; undefined if there is neither. */
  async accountDomain(uid: number): Promise<string | undefined> {
    for (const domain of [`gui/${uid}`, `user/${uid}`]) {
      if ((await this.run("print", domain)).code === 0) return domain;
    }
    return undefined;
  }

  /** What launchd prints about a job; undefined if it is not loaded. The text is meant for people: read it leniently. */
  async print(target: string): Promise<string | undefined> {
    const answer = await this.run("print", target);
    if (answer.code === 0) return answer.stdout;
    if (answer.code === CODES.notFound || answer.code === CODES.noProcess) return undefined;
    throw refusal("print", answer);
  }

  /** Loads a job, which also starts it if its property list says so. A loaded job is left alone. */
  async bootstrap(domain: string, label: string, file: string): Promise<void> {
    for (const until = Date.now() + SETTLE_BOUND; ; ) {
      const answer = await this.run("bootstrap", domain, file);
      if (answer.code === 0) return;
      if (answer.code !== CODES.inputOutput && answer.code !== CODES.inProgress)
        throw refusal("bootstrap", answer);
      const text = await this.print(`${domain}/${label}`);
      if (text !== undefined && !isLeaving(text)) return;
      if (Date.now() > until) throw refusal("bootstrap", answer);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_GAP));
    }
  }

  /**
   * Boots out a job in the background, as `launchctl` would wait for it. Settles once launchd has begun, or a moment later
   * if it does not say so.
   */
  async beginBootOut(target: string): Promise<void> {
    const line = '"$0" "$@" >/dev/null 2>&1 </dev/null &';
    await this.#ask("/bin/sh", ["-c", line, LAUNCHCTL, "bootout", target]);
    for (const until = Date.now() + BEGIN_BOUND; Date.now() < until; ) {
      const text = await this.print(target);
      if (text === undefined || isLeaving(text)) return;
      await new Promise((resolve) => setTimeout(resolve, BEGIN_GAP));
    }
  }

  /** Stops and unloads a job. Settles once launchd no longer has it: within its `grace`, and a bound beyond that. */
  async bootOut(target: string, grace = 0): Promise<void> {
    const until = Date.now() + grace + GONE_BOUND;
    for (let asked = false; (await this.print(target)) !== undefined; asked = true) {
      if (!asked) await this.run("bootout", target);
      if (Date.now() > until) throw new ServiceError(`cannot boot out ${target}: launchd still has it`);
      await new Promise((resolve) => setTimeout(resolve, GONE_GAP));
    }
  }
}

/**
 * Properties of the job itself in the output of {@link Launchctl.print}. Its arguments and environment are there too, one a
 * line and indented deeper, and may look like properties. What launchd says about the process comes after them.
 */
function propertiesIn(text: string, name: string): string[] {
  const lines = text.matchAll(new RegExp(`^\\t${name} = (.{1,200})$`, "gm"));
  return [...lines].map(([, value]) => value as string);
}

export const lastPropertyIn = (text: string, name: string) => propertiesIn(text, name).at(-1);

/** Its state comes before its arguments. */
export const stateIn = (text: string) => propertiesIn(text, "state")[0];

/** It was sent the signal in its state, and has not exited yet. */
export const isLeaving = (text: string) => /^SIG[A-Z0-9]+ed$/.test(stateIn(text) ?? "");

/** A whole number, such as a pid, an exit code or a count. */
export function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** No job has pid 1: that is launchd. */
export function pidIn(text: string): number | undefined {
  const pid = numberIn(lastPropertyIn(text, "pid"));
  return pid !== undefined && pid > 1 ? pid : undefined;
}

export const NO_DOMAIN = "cannot reach launchd: it knows no session of this account; log in, and try again";

const refusal = (verb: string, answer: Answer) =>
  new ServiceError(`cannot ${verb} with launchctl: ${words(answer)} (code ${answer.code})`);
