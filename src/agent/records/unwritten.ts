/**
 * What this agent could not write down: on a full disk, say, or in a folder that somebody made read-only. Each is tried
 * again until it is written. While nothing goes, one look is one attempt, however much is owed.
 */
export class Unwritten {
  /** The oldest debt first. */
  readonly #owed = new Map<object, () => boolean>();
  #timer: NodeJS.Timeout | undefined;

  /** From now on `write` is called now and then, until it answers that it has succeeded. */
  owe(debtor: object, write: () => boolean): void {
    if (!this.#owed.has(debtor)) this.#owed.set(debtor, write);
    this.#lookIn(GAP);
  }

  /** It has been written, or no longer needs to be. */
  paid(debtor: object): void {
    this.#owed.delete(debtor);
  }

  #look(): void {
    this.#timer = undefined;
    let gap = 0;
    for (const [debtor, write] of [...this.#owed].slice(0, AT_ONCE)) {
      if (!this.#owed.delete(debtor) || write()) continue;
      // Behind the others: its folder may be the only one that cannot be written to.
      this.#owed.delete(debtor);
      this.#owed.set(debtor, write);
      gap = GAP;
      break;
    }
    if (this.#owed.size > 0) this.#lookIn(gap);
  }

  #lookIn(ms: number): void {
    if (ms === 0) clearTimeout(this.#timer);
    if (ms === 0 || this.#timer === undefined) this.#timer = setTimeout(() => this.#look(), ms).unref();
  }
}

/** Most that is written in one look: others get their turn. */
const AT_ONCE = 32;

/** Between two looks at whether there is room again, ms. */
const GAP = 500;
