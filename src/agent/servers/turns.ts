/** So many programs are being started at once; the others come after them, in their order. */
const AT_ONCE = 32;

/** A place in the row. */
export interface Turn {
  /** Settles when it is one's turn, with what says that it is over; rejects once it was given up. */
  readonly begun: Promise<() => void>;
  /** Leaves the row. Nothing happens when it is one's turn already. `why`: what `begun` rejects with. */
  giveUp(why: Error): void;
}

/** A row of those who wait for one of a few places. */
export class Turns {
  readonly #places: number;
  readonly #row: { readonly begin: () => void }[] = [];
  #taken = 0;

  constructor(places = AT_ONCE) {
    this.#places = places;
  }

  take(): Turn {
    let giveUp: (why: Error) => void = () => {};
    const begun = new Promise<() => void>((resolve, reject) => {
      const entry = { begin: () => resolve(this.#over()) };
      giveUp = (why) => {
        const place = this.#row.indexOf(entry);
        if (place === -1) return;
        this.#row.splice(place, 1);
        reject(why);
      };
      this.#row.push(entry);
    });
    this.#next();
    return { begun, giveUp };
  }

  #over(): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#taken--;
      this.#next();
    };
  }

  #next(): void {
    while (this.#taken < this.#places) {
      const entry = this.#row.shift();
      if (entry === undefined) return;
      this.#taken++;
      entry.begin();
    }
  }
}
