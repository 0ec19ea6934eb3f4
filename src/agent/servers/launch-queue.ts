/** How many programs may be launched at the same time; the others wait in order. */
const AT_ONCE = 32;

/** A place in the queue. */
export interface Place {
  /** Settles when the launch may begin, with a function to call when it is done; rejects if the place was given up. */
  readonly begun: Promise<() => void>;
  /** Leaves the queue. Does nothing if the launch has begun. `why`: what `begun` rejects with. */
  giveUp(why: Error): void;
}

/** Limits how many programs are launched at the same time. */
export class LaunchQueue {
  readonly #limit: number;
  readonly #waiting: { readonly begin: () => void }[] = [];
  #launching = 0;

  constructor(limit = AT_ONCE) {
    this.#limit = limit;
  }

  join(): Place {
    let giveUp: (why: Error) => void = () => {};
    const begun = new Promise<() => void>((resolve, reject) => {
      const entry = { begin: () => resolve(this.#done()) };
      giveUp = (why) => {
        const index = this.#waiting.indexOf(entry);
        if (index === -1) return;
        this.#waiting.splice(index, 1);
        reject(why);
      };
      this.#waiting.push(entry);
    });
    this.#next();
    return { begun, giveUp };
  }

  #done(): () => void {
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      this.#launching--;
      this.#next();
    };
  }

  #next(): void {
    while (this.#launching < this.#limit) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#launching++;
      entry.begin();
    }
  }
}
