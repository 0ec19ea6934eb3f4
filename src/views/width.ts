import { stripVTControlCharacters } from "node:util";

/** East Asian wide and fullwidth blocks (UAX #11), without the emoji, which have a property of their own. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

/** Columns that `text` takes on a terminal; colour codes take none. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  return [...graphemesOf(plain)].reduce((sum, { segment }) => sum + graphemeWidth(segment), 0);
}

let segmenter: Intl.Segmenter | undefined;

/** Made when it is needed: most of what is shown is ASCII, and it takes as long to make as a whole table to print. */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}

/** `text` followed by spaces up to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** `text` (without colour codes) if it fits into `width` columns, else its beginning with `…`. */
export function cut(text: string, width: number | undefined): string {
  if (width === undefined || displayWidth(text) <= width) return text;
  let kept = "";
  let room = Math.max(1, width) - 1;
  for (const { segment } of graphemesOf(text)) {
    room -= graphemeWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** `text`, broken between words into lines of `width` columns; a longer word has a line to itself, and stays whole. */
export function wrap(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

/**
 * All of `text` in lines of at most `width` columns, for what must neither be cut nor run into the next line of a
 * terminal: broken between words, and within one that is longer than a line.
 */
export function wrapHard(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  const room = Math.max(SHORTEST_LINE, width);
  const lines = wrap(text, room).split("\n");
  return lines.flatMap((line) => broken(line, room)).join("\n");
}

/** Columns of a line on however narrow a terminal. */
const SHORTEST_LINE = 20;

function broken(line: string, room: number): string[] {
  if (displayWidth(line) <= room) return [line];
  const lines = [""];
  let used = 0;
  for (const [i, piece] of line.split(COLOUR).entries()) {
    for (const { segment } of i % 2 === 1 ? [{ segment: piece }] : graphemesOf(piece)) {
      const columns = i % 2 === 1 ? 0 : graphemeWidth(segment);
      if (used + columns > room) {
        lines.push("");
        used = 0;
      }
      used += columns;
      lines[lines.length - 1] += segment;
    }
  }
  return lines;
}

const ESCAPE = "\u001b";
/** Codes that colour what follows, which must stay whole. */
const COLOUR = new RegExp(`(${ESCAPE}\\[[\\d:;]*m)`);

/** Blanks before what goes on from the line above: text from outside must not look like a line of xy's own. */
const CONTINUED = 8;

/**
 * Each line of a text in lines of at most `width` columns, broken as {@link wrapHard} does; what a line goes on with is
 * indented a little more than its beginning.
 */
export function wrapLines(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  const whole = (line: string): string => {
    if (displayWidth(line) <= width) return line;
    const own = /^ */.exec(line)?.[0] ?? "";
    // On however narrow a terminal, there is more text than indentation.
    const indent = own.length > width / 2 ? "  " : own;
    const lines = wrapHard(line.slice(own.length), width - Math.max(CONTINUED, indent.length)).split("\n");
    const deeper = " ".repeat(Math.max(CONTINUED, indent.length));
    return lines.map((one, i) => `${i === 0 ? indent : deeper}${one.trim()}`).join("\n");
  };
  return text.split("\n").map(whole).join("\n");
}
