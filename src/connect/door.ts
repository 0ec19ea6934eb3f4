import { spawn } from "node:child_process";
import { isObject } from "../model/object.ts";
import type { Place } from "./exchange.ts";

/** Where the server is: another `xy` finds it, starts it if need be, and waits until it is ready. */

/** Longest wait for that, ms. */
const OPEN_BOUND = 120_000;
/** A failure is the answer to everything that is asked within so long, ms: not each call is worth a process. */
const FAILURE_STANDS = 1000;

/** Why there is no place; the message is a sentence for people. */
export class NoWay extends Error {
  /** Exit code of the command that looked for it. */
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** Looks for the server, at any time anew. */
export type Opener = (signal: AbortSignal) => Promise<Place>;

/** The command line that finds the server: `program` with `args`, which prints a {@link Place}. */
export function openerOf(program: string, args: readonly string[]): Opener {
  return (signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        stdio: ["ignore", "pipe", "pipe"],
        signal: AbortSignal.any([signal, AbortSignal.timeout(OPEN_BOUND)]),
      });
      const said = { out: "", err: "" };
      child.stdout.setEncoding("utf8").on("data", (text) => (said.out += text));
      child.stderr.setEncoding("utf8").on("data", (text) => (said.err = `${said.err}${text}`.slice(-10_000)));
      child.once("error", (error) => reject(new NoWay(`cannot look for the server: ${error.message}`, 1)));
      child.once("close", (code) => {
        const place = code === 0 ? placeIn(said.out) : undefined;
        if (place !== undefined) return resolve(place);
        reject(new NoWay(reasonIn(said.err), code ?? 1));
      });
    });
}

function placeIn(text: string): Place | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || typeof value.url !== "string") return undefined;
    const { url, token } = value;
    return typeof token === "string" ? { url, token } : { url };
  } catch {
    return undefined;
  }
}

function reasonIn(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const last = lines.findLast((line) => line.startsWith("xy: ")) ?? lines.at(-1);
  return last?.replace(/^xy: /, "") ?? "cannot look for the server: xy ended without a word";
}

/** Remembers the place, and looks for it once for all who ask. */
export class Door {
  readonly #open: Opener;
  readonly #closed = new AbortController();
  #known: Place | undefined;
  #looking: Promise<Place> | undefined;

  constructor(open: Opener) {
    this.#open = open;
  }

  /** Where the server was last. */
  get known(): Place | undefined {
    return this.#known;
  }

  /** Settles once nobody looks for it any more. */
  get settled(): Promise<void> {
    return Promise.resolve(this.#looking).then(
      () => {},
      () => {},
    );
  }

  /** Throws {@link NoWay}. `not`: where the server was not. */
  async place(not?: Place): Promise<Place> {
    if (this.#known !== undefined && this.#known !== not) return this.#known;
    this.#looking ??= this.#look();
    return this.#looking;
  }

  async #look(): Promise<Place> {
    try {
      this.#known = await this.#open(this.#closed.signal);
      this.#looking = undefined;
      return this.#known;
    } catch (error) {
      setTimeout(() => {
        this.#looking = undefined;
      }, FAILURE_STANDS).unref();
      throw error;
    }
  }

  close(): void {
    this.#closed.abort();
  }
}
