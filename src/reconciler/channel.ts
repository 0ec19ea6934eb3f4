/** Values pushed from several places and read in order from one. Unbounded: writers are few, values small. */
export class Channel<T> {
  readonly #values: T[] = [];
  #wake: () => void = () => {};
  #closed = false;

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  /** Values that were pushed are still read; then reading ends. */
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
