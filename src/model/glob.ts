/** Longest pattern that is used, characters. */
const LONGEST = 200;

/** Whether a text matches a pattern, in which `*` stands for any characters and `?` for one. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const parts = pattern.slice(0, LONGEST).replace(/\*+/g, "*").split("*");
  const pieces = parts.map((part) => [...part]);
  return (text) => isMatch(pieces, [...text]);
}

/** By the first place at which each piece fits: in no more steps than both lengths together ask for. */
function isMatch(pieces: readonly (readonly string[])[], text: readonly string[]): boolean {
  const [first = [], ...rest] = pieces;
  if (!fitsAt(first, text, 0)) return false;
  let at = first.length;
  for (const [i, piece] of rest.entries()) {
    const isLast = i === rest.length - 1;
    if (isLast) return text.length - piece.length >= at && fitsAt(piece, text, text.length - piece.length);
    while (at + piece.length <= text.length && !fitsAt(piece, text, at)) at++;
    if (at + piece.length > text.length) return false;
    at += piece.length;
  }
  return at === text.length;
}

const fitsAt = (piece: readonly string[], text: readonly string[], at: number) =>
  at + piece.length <= text.length && piece.every((one, i) => one === "?" || one === text[at + i]);
