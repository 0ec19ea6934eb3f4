import { stripVTControlCharacters } from "node:util";

/** How many lines end in these bytes. */
export function linesIn(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) found++;
  return found;
}

/** Text from outside as one harmless line: no control sequences, no line breaks. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}
