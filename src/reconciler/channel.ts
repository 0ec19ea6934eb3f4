/** Values pushed from several places, read in order from one. Unbounded: its writers are few and its values small. */
export class Channel<T> {
  readonly #values: T[] = [];
  #wake: () => void = () => {};
  #closed = false;

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  /** What was pushed is still read; then the reading ends. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    while (true) {
      for (let value = this.#values.shift(); value !== undefined; value = this.#values.shift()) yield value;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
