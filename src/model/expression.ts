/** A pattern that is looked for in what a server prints: in time linear in the text, whatever both are. */
export interface Expression {
  /** Whether some part of the line matches, in the first {@link LONGEST_MATCHED} bytes of it. */
  test(line: string): boolean;
}

/** Of a longer line the rest is not looked at, bytes (where a line has only ASCII). */
export const LONGEST_MATCHED = 8192;

/** Characters of a pattern: what is made of it takes longer than that is long. */
const LONGEST_PATTERN = 10_000;
/** Characters of a pattern that are shown in a message. */
const LONGEST_SHOWN = 80;

/** Steps that a pattern may need for each character: repeats of repeats multiply. */
const LARGEST = 1000;

export type Understood =
  | { readonly ok: true; readonly expression: Expression }
  /** `fault`: what of it cannot be used, and a way. `at`: where in the pattern, if that is known. */
  | { readonly ok: false; readonly fault: string; readonly at?: number };

/**
 * Understands a pattern: JavaScript's syntax, as far as it can be matched without going back (RE2). Loads what that takes
 * when it is first called.
 */
export async function understood(pattern: string): Promise<Understood> {
  if (pattern.length > LONGEST_PATTERN)
    return { ok: false, fault: `it has more than ${LONGEST_PATTERN} characters: look for less` };
  const construct = constructIn(pattern);
  if (construct !== undefined) return { ok: false, ...construct };
  const { RE2JS } = await import("re2js");
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern.replaceAll("[\\b]", "\\x08")));
    if (compiled.programSize() > LARGEST)
      return { ok: false, fault: "it repeats too much: use smaller numbers in {…}, or * and +" };
    return { ok: true, expression: { test: (line) => compiled.test(line.slice(0, LONGEST_MATCHED)) } };
  } catch (error) {
    const why = String(error).replace(/^.*error parsing regexp: /s, "");
    return { ok: false, fault: `${shortened(why)}; correct it` };
  }
}

/** A pattern, or what is said of one, as it is shown in a message. */
export function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** Why a server with such a pattern is not ready. */
export function unusable(fault: string): string {
  return `its pattern cannot be used by this version of xy: ${fault}`;
}

/** What JavaScript has and a match in linear time cannot have, and what to write in its place. */
export const UNSUPPORTED: readonly {
  readonly syntax: string;
  readonly begins: RegExp;
  readonly name: string;
  readonly way: string;
}[] = [
  { syntax: "(?=…)", begins: /^\(\?=/, name: "a lookahead", way: "match all of what the line says" },
  { syntax: "(?!…)", begins: /^\(\?!/, name: "a negative lookahead", way: "match what a good line says" },
  { syntax: "(?<=…)", begins: /^\(\?<=/, name: "a lookbehind", way: "match all of what the line says" },
  { syntax: "(?<!…)", begins: /^\(\?<!/, name: "a negative lookbehind", way: "match what a good line says" },
  { syntax: "\\1", begins: /^\\[1-9]/, name: "a back-reference", way: "write the group once more" },
  { syntax: "\\k<…>", begins: /^\\k</, name: "a named back-reference", way: "write the group once more" },
  {
    syntax: "\\p{Script=…}",
    begins: /^\\[pP]\{/,
    name: "a property with a value",
    way: "write the value alone, such as \\p{Greek}",
  },
];

/** The beginning of a construct that may be unsupported, or a piece of the pattern that must not be taken for one. */
const PIECES = /\\(?:k<|[pP]\{[^}]*=|.)|\[(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!])?/gs;

function constructIn(pattern: string): { fault: string; at: number } | undefined {
  for (const { 0: piece, index } of pattern.matchAll(PIECES)) {
    const found = UNSUPPORTED.find(({ begins }) => begins.test(piece));
    if (found) return { fault: `${found.name}, ${found.syntax}, cannot be used: ${found.way}`, at: index };
  }
  return undefined;
}
