import { isObject } from "../model/object.ts";
import type { Host } from "./host.ts";
import type { Link } from "./link.ts";
import { BACKOFF, Starts } from "./starts.ts";

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
  readonly #starts = new Starts(BACKOFF);
  #proven: Proven = { ok: false, reason: "it has not been started yet" };
  /** Somebody wants to know. */
  #isWanted = false;
  #isUnderWay = false;
  #isClosed = false;
  #wake: (() => void) | undefined;

  /** `host`: the place where it is tried. `reached`: starts its child. `done`: it was seen to work, and is not needed for that any more. */
  constructor(host: () => Host, reached: () => Promise<Link>, done: (host: Host) => void) {
    this.#host = host;
    this.#reached = reached;
    this.#done = done;
  }

  get proven(): Proven {
    return this.#proven;
  }

  /** Starts a child, until one works. */
  begin(): void {
    this.#isWanted = true;
    if (!this.#isUnderWay) void this.#run();
  }

  /** A child ended by itself: that it worked once counts no more. */
  crashed(why: string): void {
    if (this.#isClosed || !this.#isWanted) return;
    this.#proven = { ok: false, reason: why };
    this.begin();
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
      const why = await this.#tried().catch((error: Error) => error.message);
      if (why === undefined) {
        this.#proven = { ok: true, at: Date.now() };
        break;
      }
      this.#starts.failed(Date.now());
      const nextAt = Date.now() + this.#starts.waitAt(Date.now());
      this.#proven = { ok: false, reason: why, nextAt };
    }
    this.#isUnderWay = false;
    if (!this.#isClosed) this.#done(this.#host());
  }

  /** Why it does not work; undefined: it does. */
  async #tried(): Promise<string | undefined> {
    const link = await this.#reached();
    const { result } = JSON.parse(this.#host().greeting ?? "{}");
    if (!isObject(result?.capabilities) || result.capabilities.tools === undefined) return undefined;
    const { error } = JSON.parse(await link.ask("tools/list", {}, LIST_BOUND));
    return error === undefined
      ? undefined
      : `it answered to tools/list with an error: ${String(error.message).slice(0, 300)}`;
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
