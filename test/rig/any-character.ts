import fc from "fast-check";

/** How many halves of pairs there are in UTF-16, from 0xd800 on: none of them is a character. */
const HALVES = 0x800;

/**
 * Any character of Unicode, as fast-check's own unit "binary": that one begins with a table of all of them, which takes
 * seconds in each process.
 */
export const ANY_CHARACTER = fc
  .nat(0x10ffff - HALVES)
  .map((n) => String.fromCodePoint(n < 0xd800 ? n : n + HALVES));
