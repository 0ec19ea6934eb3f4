import { visible } from "./visible.ts";

/** How many lines end in these bytes. */
export function linesIn(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) found++;
  return found;
}

/** A word as typed into a shell; if it contains invisible characters, it is escaped instead. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(word)) return word;
  if (visible(word) !== word) return quote(word);
  if (word.includes("'") && !/["$`\\!]/.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** In quotes, with everything in it visible. */
export function quote(text: string): string {
  return `"${visible(text.replace(/["\\]/g, "\\$&"))}"`;
}
