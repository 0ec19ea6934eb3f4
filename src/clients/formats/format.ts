import type { EntryChanges, Shape } from "../types.ts";

/** A language in which clients write their files, as far as their entries are concerned. */
export interface Format {
  /** Throws {@link Fault}. */
  open(text: string): Opened;
}

/** A text that was read. */
export interface Opened {
  readonly text: string;
  /** The whole content as plain values; undefined or null if there is none. */
  readonly content: unknown;
  /**
   * The text with entries removed or set; new ones at the end, with what leads to the entries where it is missing. Of what
   * leads there, the keys after the first `keep` go with the last entry. Throws {@link Fault}.
   */
  change(shape: Shape, changes: EntryChanges, keep: number): string;
}

/** What is wrong with a text: where, and what. `offset` counts UTF-16 units. */
export class Fault extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** How lines end in a text; where it has none, as on this kind of system. */
export const lineEnd = (text: string) => (/\r?\n/.exec(text)?.[0] === "\r\n" ? "\r\n" : "\n");

/** Begin of the line in which an offset is. */
export const lineStart = (text: string, offset: number) => text.lastIndexOf("\n", offset - 1) + 1;

/** Offset after the line feed that ends the line; the text's end in its last line. */
export function lineAfter(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end + 1;
}

/** Replaces a part of a text. */
export const splice = (text: string, start: number, end: number, by: string) =>
  text.slice(0, start) + by + text.slice(end);

/** The changes one after the other, each to the text as it is after the one before. */
export function oneByOne(
  text: string,
  { set, remove }: EntryChanges,
  one: {
    readonly remove: (text: string, name: string) => string;
    readonly set: (text: string, entry: EntryChanges["set"][number]) => string;
  },
): string {
  // In this order nothing that holds entries gets empty in between: it would lose its line ends.
  return remove.reduce(one.remove, set.reduce(one.set, text));
}
