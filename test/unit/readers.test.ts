import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ANY_CHARACTER } from "../rig/any-character.ts";
import { READERS } from "../rig/readers.ts";

/**
 * Whatever reads text from outside ends, on any text, in time that grows as the text does. A reader that takes time in
 * the square of the length would need minutes for the long texts here, and one that does not advance would need for ever.
 */

/** Longest that one text may take, ms: a hundred times what a busy machine needs for it. */
const BOUND = 30_000;
/** Bytes of a long text, for readers that are our own. */
const LONG = 256 * 1024;
const SEED = Number(process.env.XY_TEST_SEED ?? Date.now() % 2 ** 31);

/** What some readers and regular expressions take for the end of a line, and others do not; and what ends a C string. */
const SEPARATORS = ["\u2028", "\u2029", "\u0085", "\v", "\f", "\0", "\r", "\n", "\r\n", " ", "\t", "\u00a0"];

/** Reads texts in a thread, which can be ended when it does not end by itself. */
class ReaderThread {
  #worker: Worker | undefined;

  /** The texts that threw, with what they threw. Fails on one that does not end. */
  async read(reader: string, texts: readonly string[]): Promise<string[]> {
    const worker = await this.#ready();
    const thrown: string[] = [];
    let ended = 0;
    await new Promise<void>((resolve, reject) => {
      const stuck = () => {
        void worker.terminate();
        this.#worker = undefined;
        const text = JSON.stringify(texts[ended]).slice(0, 300);
        reject(new Error(`reading this as ${reader} has not ended within ${BOUND / 1000} s: ${text}`));
      };
      let timer = setTimeout(stuck, BOUND);
      worker.on("message", (message: { thrown?: string }) => {
        clearTimeout(timer);
        if (message.thrown !== undefined)
          thrown.push(`${JSON.stringify(texts[ended]).slice(0, 300)}: ${message.thrown}`);
        ended++;
        if (ended === texts.length) resolve();
        else timer = setTimeout(stuck, BOUND);
      });
      worker.postMessage({ reader, texts });
    });
    worker.removeAllListeners("message");
    return thrown;
  }

  async #ready(): Promise<Worker> {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("../rig/reader-worker.mjs", import.meta.url));
    await new Promise((resolve) => worker.once("message", resolve));
    this.#worker = worker;
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

const thread = new ReaderThread();
afterAll(() => thread.close());

/** Texts of a reader's own pieces, with all that ends lines somewhere. */
function textsOf(pieces: readonly string[], count: number): string[] {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: fc.constantFrom(...SEPARATORS) },
    fc.string({ unit: ANY_CHARACTER, maxLength: 3 }),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
  return fc.sample(text, { seed: SEED, numRuns: count });
}

/** Each piece again and again, alone and between others: what makes readers go back, or look ahead, the most. */
function longTexts(pieces: readonly string[], most: number): string[] {
  const repeated = (unit: string) => unit.repeat(Math.max(1, Math.floor(most / unit.length)));
  return [...pieces, ...SEPARATORS].flatMap((piece, i) => [
    `${pieces[0]}${repeated(piece)}x`,
    repeated(`${pieces[(i * 7 + 3) % pieces.length]}${piece}`),
  ]);
}

describe.each(Object.entries(READERS))("reading %s", (name, { pieces, most = LONG }) => {
  it("ends, whatever the text", async () => {
    const count = name === "env file" ? 20_000 : 1000;
    expect(await thread.read(name, textsOf(pieces, count)), `seed ${SEED}`).toEqual([]);
  });

  it("takes time as the length of the text, not its square", async () => {
    expect(await thread.read(name, longTexts(pieces, most))).toEqual([]);
  });
});
