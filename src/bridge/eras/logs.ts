import { LEVELS } from "../session.ts";

/** A call whose client wants to hear the server's log while it is under way. */
export interface Hearer {
  readonly level: string;
  /** Calls of the same client have the same. */
  readonly who: unknown;
  tell(message: string): void;
}

/**
 * Who hears the log of a server that several clients share. A line of it does not say which call it belongs to: it goes to
 * a client if nobody else could have caused it.
 */
export class Logs {
  readonly #hearers = new Set<Hearer>();

  add(hearer: Hearer): void {
    this.#hearers.add(hearer);
  }

  delete(hearer: Hearer | undefined): void {
    if (hearer !== undefined) this.#hearers.delete(hearer);
  }

  get all(): readonly Hearer[] {
    return [...this.#hearers];
  }

  /** False: it is nobody's, or could be several clients'. */
  tell(level: unknown, text: string): boolean {
    const wanting = this.all.filter((one) => LEVELS.indexOf(String(level)) >= LEVELS.indexOf(one.level));
    if (new Set(wanting.map(({ who }) => who)).size !== 1) return false;
    wanting.at(-1)?.tell(text);
    return true;
  }
}
