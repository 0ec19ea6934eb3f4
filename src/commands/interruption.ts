import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ctrl-C, SIGTERM and SIGHUP. A command that never reads `signal` exits at once; one that does is told, and may finish
 * its work; a second signal ends either. The exit code is 128 + the signal's number.
 */
export class Interruption {
  readonly #controller = new AbortController();
  #heeded = false;
  #code: number | undefined;
  #expected = false;

  /** Aborted by the first signal. A command that reads it promises to exit soon afterwards. */
  get signal(): AbortSignal {
    this.#heeded = true;
    return this.#controller.signal;
  }

  /** The exit code of an interrupted command. */
  get exitCode(): number | undefined {
    return this.#expected ? undefined : this.#code;
  }

  /** Ctrl-C is the normal way to end this command, not a failure. Other signals still are. */
  expectCtrlC(): void {
    this.#expected = this.#code === 128 + constants.signals.SIGINT;
  }

  listen(): void {
    for (const name of SIGNALS) process.on(name, this.#onSignal);
  }

  release(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: (typeof SIGNALS)[number]): void => {
    const again = this.#code !== undefined;
    this.#code = 128 + constants.signals[name];
    if (again || !this.#heeded) process.exit(this.#code);
    this.#controller.abort(new Error(`interrupted by ${name}`));
  };
}
