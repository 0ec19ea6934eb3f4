import { expect } from "vitest";

/**
 * Text as a stranger would write it: it obeys the syntax of terminals, hides words, and pretends to be a line of its
 * own. One of each kind: CSI, OSC, C1, controls, bidi, zero width, tags, variation selectors, line separators, halves.
 */
const HOSTILE_PIECES = [
  "\u001b[2J\u001b[1A",
  "\u001b]0;title\u0007",
  "\u001b]8;;http://x.example\u001b\\",
  "\u009b5m\u0085\u0090x\u009c",
  "\u0000\u0008\u007f\u000b\u000c",
  "\rFORGED\t",
  "\nFORGED",
  "\u001b[31mFORGED\u001b[39m",
  "\u202eevil\u202c\u2066x\u2069\u200e\u061c",
  "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e",
  "\u2028FORGED\u2029FORGED",
  "\u{e0041}\u{e007f}\u{e0100}a\ufe0fb\ufe01",
  "\u034f\u115f\u3164\uffa0",
  "\ud800\udc00\ud800",
] as const;
export const HOSTILE = HOSTILE_PIECES.join("");

/** Without what no file, environment or argument can hold: NUL and halves of characters. */
export const HOSTILE_TEXT = HOSTILE.replace(/\p{Surrogate}|\0/gu, "");

/** As the name of a file, or of a process: the colon and the space end that of a program. */
export const HOSTILE_NAME = HOSTILE_TEXT.replace(/[/: ]/g, "");

/** Every string of a document with such text behind it, names of variables too; xy's own words stay. */
export function hostile<T>(document: T): T {
  return spoiled(document) as T;
}

function spoiled(value: unknown): unknown {
  if (typeof value === "string") return WORDS.has(value) ? value : value + HOSTILE;
  if (Array.isArray(value)) return value.map(spoiled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [/^[A-Z]/.test(key) ? key + HOSTILE : key, spoiled(inner)]),
  );
}

/** Words that a view decides by. */
const WORDS: ReadonlySet<string> = new Set(
  [
    "stopped starting running restarting failed stopping ok failing unknown start stop ignore add update restart",
    "remove none agent systemd launchd supervisord started progress done waiting skipped error warning code signal",
    "ready completed tcp http mcp command log readiness liveness stdout stderr begun complete incomplete pending",
    "succeeded cancelled person schedule policy once skip allow forbid replace always never on-failure main",
    "field-changed not-recorded not-declared moved unreadable absent unwanted outdated-process drift unsettled",
    "rewritten unfinished apply operator session required modern legacy program secret probe request manager all servers",
  ].flatMap((line) => line.split(" ")),
);

/** What may be sent to a terminal beside text: line feeds, and colours, if any. */
export interface Allowed {
  /** The codes that a colour may have: those of xy's own, or all that a server may use. */
  readonly colours?: RegExp;
  /** Output of servers keeps its tabs. */
  readonly tabs?: boolean;
  /** Lines are broken wherever the terminal ends: what stands at the begin of one says nothing. */
  readonly broken?: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what they are
export const OWN_COLOURS = /\u001b\[(?:1|2|22|31|32|33|34|35|36|39)m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what they are
export const ALL_COLOURS = /\u001b\[[\d:;]*m/g;

/** Fails where something reaches the terminal that could steer it, hide, or pass for a line of xy's own. */
export function expectHarmless(text: string, { colours, tabs = false, broken = false }: Allowed = {}): void {
  const plain = colours === undefined ? text : text.replace(colours, "");
  const unseen = [...plain.matchAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu)]
    .filter(([found]) => found !== "\n" && !(tabs && found === "\t"))
    .map(({ index }) => JSON.stringify(plain.slice(Math.max(0, index - 60), index + 5)));
  expect(unseen).toEqual([]);
  if (broken) return;
  // What goes on from the line above is indented further than any line of its own.
  expect(plain.split("\n").filter((line) => /^ {0,7}FORGED/.test(line))).toEqual([]);
}
