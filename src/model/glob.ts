/** Longest pattern that is used, characters. */
const LONGEST = 200;

/** A part of a pattern: any characters, or one that fits. */
export type GlobToken =
  | { readonly is: "any" }
  | { readonly is: "one"; readonly matches: (character: string) => boolean };

/** What a character stands for where nothing but `*` and `?` means more than itself. */
function tokenOf(character: string): GlobToken {
  if (character === "*") return { is: "any" };
  return { is: "one", matches: (other) => character === "?" || other === character };
}

/** Whether a text means a pattern, where `*`, `?` and `[…]` may be used. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/** A pattern with `*`, `?`, `[abc]` and `[!a-z]`. */
export function tokensOf(pattern: string): GlobToken[] {
  const tokens: GlobToken[] = [];
  const characters = [...pattern];
  // A bracket after the last one that closes is an ordinary character: not looked for again and again.
  const last = characters.lastIndexOf("]");
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    const end = character === "[" && i + 2 <= last ? characters.indexOf("]", i + 2) : -1;
    if (end > 0) {
      tokens.push({ is: "one", matches: setOf(characters.slice(i + 1, end)) });
      i = end;
    } else tokens.push(tokenOf(character));
  }
  return tokens;
}

function setOf(inside: readonly string[]): (character: string) => boolean {
  const isNot = inside[0] === "!" || inside[0] === "^";
  const rest = isNot ? inside.slice(1) : inside;
  const ranges: [from: string, to: string][] = [];
  for (let i = 0; i < rest.length; i++) {
    const from = rest[i] as string;
    const to = rest[i + 1] === "-" ? rest[i + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) i += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isNot;
}

/** Whether a text matches a pattern, in which `*` stands for any characters and `?` for one. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const tokens = [...pattern.slice(0, LONGEST)].map(tokenOf);
  return (text) => matchesTokens(tokens, text);
}

/** In time of the one length times the other. */
export function matchesTokens(tokens: readonly GlobToken[], text: string): boolean {
  const characters = [...text];
  let [t, c] = [0, 0];
  // Where the last star stands, and how much of the text it has taken: only that one is ever tried again.
  let star: { readonly t: number; c: number } | undefined;
  while (c < characters.length) {
    const token = tokens[t];
    if (token?.is === "any") {
      star = { t, c };
      t++;
    } else if (token?.matches(characters[c] as string)) {
      t++;
      c++;
    } else if (star) {
      star.c++;
      t = star.t + 1;
      c = star.c;
    } else return false;
  }
  return tokens.slice(t).every(({ is }) => is === "any");
}
