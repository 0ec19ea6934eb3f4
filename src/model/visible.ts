/**
 * What a person would not see, or what would change what they see: control characters, characters that turn the
 * direction of a text or have no shape, line separators, halves of a character (UAX #44: Cc, Cf, Zl, Zp, Cs and
 * Default_Ignorable_Code_Point, which has the tag characters and the variation selectors).
 */
const UNSEEN = "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\p{Default_Ignorable_Code_Point}]";
/** An emoji as UTS #51 builds them: digits are one only as keycaps, which a sequence of its own makes. */
const EMOJI = "(?![0-9#*])\\p{Emoji}\\ufe0f?\\p{Emoji_Modifier}?";
const WHOLE_EMOJI = `[0-9#*]\\ufe0f\\u20e3|${EMOJI}(?:\\u200d${EMOJI})*`;

const UNSEEN_OR_EMOJI = new RegExp(`(${UNSEEN})|${WHOLE_EMOJI}`, "gu");
const ALL_UNSEEN = new RegExp(UNSEEN, "gu");
/** Most of what is shown; it is told apart quickly. */
const PLAIN = /^[\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text from outside as one line that shows all that is in it: what a terminal would obey, or a person would not see,
 * is written as an escape such as `\n` or `\u{202e}`. What holds emoji together stays. Everything that is shown to a
 * person and was not written by xy passes this, or {@link visibleLines}.
 */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSEEN_OR_EMOJI, (found: string, unseen?: string) =>
    unseen === undefined ? found : escaped(found),
  );
}

/** As {@link visible}, for a text of several lines: its line feeds stay. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

const ESCAPE = "\u001b";
/** Sequences that colour what follows; odd pieces of a text that is split by it. */
const COLOUR = new RegExp(`(${ESCAPE}\\[[\\d:;]*m)`);

/**
 * A line that a program printed. Of what a terminal would obey, its colours stay where `colours` says so, and end with
 * the line; a tab stays one, and a carriage return at the end, which some programs write before a line feed, is dropped.
 */
export function printedLine(line: string, colours: boolean): string {
  if (PLAIN.test(line)) return line;
  const pieces = (line.endsWith("\r") ? line.slice(0, -1) : line).split(COLOUR);
  const shown = pieces.map((piece, i) => (i % 2 === 0 ? withTabs(piece) : colours ? piece : ""));
  return `${shown.join("")}${colours && pieces.length > 1 ? NO_COLOUR : ""}`;
}

/** The same within a text of xy's own: without its colours, and with blanks for its tabs. */
export function quotedLine(line: string): string {
  return printedLine(line, false).replaceAll("\t", "  ");
}

const NO_COLOUR = `${ESCAPE}[0m`;
const withTabs = (text: string) => text.split("\t").map(visible).join("\t");

/** JSON that means the same, with everything that {@link visible} would escape as `\uXXXX`; line feeds between its parts stay. */
export function visibleJson(json: string): string {
  return json.replace(ALL_UNSEEN, (found) =>
    found === "\n" ? found : unitsOf(found).map(jsonEscape).join(""),
  );
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

const unitsOf = (character: string) =>
  Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
const jsonEscape = (unit: number) => `\\u${unit.toString(16).padStart(4, "0")}`;
