/** Where the output of one source was left off. */
export interface Place {
  /** Unix ms of the last line. */
  readonly at: number;
  /** Lines of that very ms. */
  readonly lines: number;
  /** All lines, those included that were reported as missing. */
  readonly taken: number;
}

/** Tells new lines of one source from those that come again because its output was asked for again. */
export class Reading {
  #place: Place | undefined;
  /** What had come before it was asked for again. */
  #before: Place | undefined;
  /** Of the lines that come now: how many had come before at most, and how many of these in that very ms. */
  #repeats = 0;
  #ofThatMs = 0;

  get place(): Place | undefined {
    return this.#place;
  }

  /** It is asked for again. `repeats`: how many of the lines that come now may have come before, at most. */
  begin(repeats: number): void {
    this.#before = this.#place;
    this.#ofThatMs = this.#place?.lines ?? 0;
    this.#repeats = repeats;
  }

  isNew({ ts_unix_ms: at, missed = 0 }: { readonly ts_unix_ms: number; readonly missed?: number }): boolean {
    if (this.#comesAgain(at)) return false;
    const last = this.#place;
    const lines = last?.at === at ? last.lines + 1 : 1;
    this.#place = { at, lines, taken: (last?.taken ?? 0) + 1 + missed };
    return true;
  }

  #comesAgain(at: number): boolean {
    const before = this.#before;
    if (before === undefined) return false;
    const isOfThatMs = at === before.at && this.#ofThatMs > 0;
    if (this.#repeats > 0 && (at < before.at || isOfThatMs)) {
      this.#repeats--;
      if (isOfThatMs) this.#ofThatMs--;
      return true;
    }
    // The first new one: whatever its clock says, none that follows has come before.
    this.#before = undefined;
    return false;
  }
}
