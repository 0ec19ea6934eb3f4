/** Ms after which somebody at a terminal wonders whether anything happens; also between two redrawings. */
const EVERY = 1000;
const CLEAR = "\r\u001b[K";

/**
 * One line on a terminal that says that a command is at work, and for how long. It appears after a second, and is gone for
 * good as soon as there is something to show.
 */
export class Busy {
  readonly #terminal: NodeJS.WriteStream;
  readonly #begun = performance.now();
  readonly #timer: NodeJS.Timeout;
  #isShown = false;

  /** `doing`: `planning`. */
  constructor(terminal: NodeJS.WriteStream, doing: string) {
    this.#terminal = terminal;
    this.#timer = setInterval(() => this.#draw(doing), EVERY).unref();
    process.once("exit", this.end);
  }

  #draw(doing: string): void {
    const seconds = Math.round((performance.now() - this.#begun) / 1000);
    const line = `${doing} ... ${seconds}s`.slice(0, Math.max(0, (this.#terminal.columns || 80) - 1));
    this.#terminal.write(`${CLEAR}${line}`);
    this.#isShown = true;
  }

  readonly end = (): void => {
    clearInterval(this.#timer);
    process.off("exit", this.end);
    if (this.#isShown) this.#terminal.write(CLEAR);
    this.#isShown = false;
  };
}
