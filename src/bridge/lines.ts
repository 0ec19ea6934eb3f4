/**
 * Cuts what a program prints into lines, in time linear in what it prints. A line that is longer than the bound is left
 * out, and reported once, as soon as it is known to be.
 */
export class Lines {
  readonly #bound: number;
  readonly #line: (text: string) => void;
  readonly #tooLong: () => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #isSkipping = false;

  /** `bound`: bytes of a line. */
  constructor(bound: number, line: (text: string) => void, tooLong: () => void) {
    this.#bound = bound;
    this.#line = line;
    this.#tooLong = tooLong;
  }

  take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, end));
      this.#end();
      from = end + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
  }

  /** There is no more: what is left is the last line. */
  end(): void {
    if (this.#length > 0) this.#end();
  }

  #add(piece: Buffer): void {
    if (this.#isSkipping) return;
    this.#length += piece.length;
    if (this.#length <= this.#bound) {
      this.#pieces.push(piece);
      return;
    }
    this.#isSkipping = true;
    this.#pieces = [];
    this.#tooLong();
  }

  #end(): void {
    const isWhole = !this.#isSkipping;
    const [first = Buffer.of(), ...rest] = this.#pieces;
    const bytes = rest.length === 0 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    this.#isSkipping = false;
    if (isWhole) this.#line(bytes.toString("utf8").replace(/\r$/, ""));
  }
}
