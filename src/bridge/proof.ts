import { isObject } from "../model/object.ts";
import { Ended, type Host } from "./host.ts";
import type { Link } from "./link.ts";
import { type Restart, Starts } from "./starts.ts";

/** Longest wait for the list of tools, ms. */
const LIST_BOUND = 60_000;

/** Whether the server works, as it was seen. */
export type Proven =
  | { readonly ok: true; readonly at: number }
  /** `nextAt`: when it is started again, unix ms. */
  | { readonly ok: false; readonly reason: string; readonly nextAt?: number };

/**
 * Whether the server works: a child of it started, introduced itself, and listed its tools. So a server that sleeps is
 * known to be one that can be woken. One that crashed has to prove itself again.
 */
export class Proof {
  readonly #host: () => Host;
  readonly #reached: () => Promise<Link>;
  readonly #done: (host: Host) => void;
  readonly #restart: Restart;
  readonly #starts: Starts;
  #proven: Proven = { ok: false, reason: "it is being started" };
  /** Somebody wants to know. */
  #isWanted = false;
  #isUnderWay = false;
  #isClosed = false;
  #first: ((why: string | undefined) => void) | undefined;
  #wake: (() => void) | undefined;

  /** `host`: the place where it is tried. `reached`: starts its child. `done`: it was seen to work, and is not needed for that any more. */
  constructor(restart: Restart, host: () => Host, reached: () => Promise<Link>, done: (host: Host) => void) {
    this.#restart = restart;
    this.#starts = new Starts(restart);
    this.#host = host;
    this.#reached = reached;
    this.#done = done;
  }

  get proven(): Proven {
    return this.#proven;
  }

  /** Starts a child, until one works. Settles after the first: with why that ended, if it did so by itself. */
  async begin(): Promise<string | undefined> {
    this.#isWanted = true;
    return new Promise((resolve) => {
      this.#first = resolve;
      this.#again();
    });
  }

  #again(): void {
    if (!this.#isUnderWay) void this.#run();
  }

  /** A child ended by itself: that it worked once counts no more. */
  crashed(why: string): void {
    if (this.#isClosed || !this.#isWanted) return;
    this.#proven = { ok: false, reason: why };
    if (this.#restart.policy !== "never") this.#again();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#isUnderWay = true;
    while (!this.#isClosed) {
      await this.#waited();
      if (this.#isClosed) break;
      this.#starts.begun(Date.now());
      const failure = await this.#tried().then(
        () => undefined,
        (error: Error) => error,
      );
      this.#first?.(failure instanceof Ended ? failure.message : undefined);
      this.#first = undefined;
      if (failure === undefined) {
        this.#proven = { ok: true, at: Date.now() };
        break;
      }
      if (failure instanceof Ended && this.#restart.policy === "never") {
        this.#proven = { ok: false, reason: failure.message };
        break;
      }
      this.#starts.failed(Date.now());
      const nextAt = Date.now() + this.#starts.waitAt(Date.now());
      this.#proven = { ok: false, reason: failure.message, nextAt };
    }
    this.#isUnderWay = false;
    if (!this.#isClosed) this.#done(this.#host());
  }

  /** Rejects with why it does not work. */
  async #tried(): Promise<void> {
    const link = await this.#reached();
    const { result } = JSON.parse(this.#host().greeting ?? "{}");
    if (!isObject(result?.capabilities) || result.capabilities.tools === undefined) return;
    const { error } = JSON.parse(await link.ask("tools/list", {}, LIST_BOUND));
    if (error === undefined) return;
    const said = String(error.message).slice(0, 300);
    if (link.isOver) throw new Ended(said);
    throw new Error(`it answered to tools/list with an error: ${said}`);
  }

  async #waited(): Promise<void> {
    const wait = this.#starts.waitAt(Date.now());
    if (wait === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
