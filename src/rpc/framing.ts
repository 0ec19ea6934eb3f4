/** Longest frame that is accepted, bytes. */
export const LONGEST_FRAME = 4 * 1024 * 1024;

/** Cuts a byte stream into lines. Memory is bounded by the longest frame. */
export class FrameDecoder {
  readonly #longest: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(longest = LONGEST_FRAME) {
    this.#longest = longest;
  }

  /** The frames that this chunk completes, without their newlines. Throws a RangeError on one that is too long. */
  take(chunk: Buffer): string[] {
    const frames: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#push(chunk.subarray(start, end));
      frames.push(Buffer.concat(this.#parts, this.#length).toString("utf8"));
      this.#parts = [];
      this.#length = 0;
      start = end + 1;
    }
    this.#push(chunk.subarray(start));
    return frames;
  }

  #push(part: Buffer): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length > this.#longest) throw new RangeError(`a frame is longer than ${this.#longest} bytes`);
    this.#parts.push(part);
  }
}

export function encodeFrame(document: object): string {
  return `${JSON.stringify(document)}\n`;
}
