import { visible } from "../model/visible.ts";
import { displayWidth, graphemesOf } from "./width.ts";

/** Two values as shown: both begin at the same place. */
interface Difference {
  readonly from: string;
  readonly to: string;
}

/**
 * Two different texts of one line, of each all that differs, and as much of the rest as `width` columns hold (absent: all
 * of it): what is new is never hidden, so they are longer where it alone is. What looks the same and is not, such as a
 * letter with an accent in one character or in two, is written as escapes.
 */
export function difference(from: string, to: string, width?: number): Difference {
  // What was escaped already may look like something that is.
  const isSame = visible(from) === visible(to);
  const [a, b] = isSame ? [unitsOf(doubled(from)), unitsOf(doubled(to))] : [unitsOf(from), unitsOf(to)];
  const begin = a.findIndex((unit, i) => unit !== b[i]);
  const first = begin === -1 ? a.length : begin;
  const most = Math.min(a.length, b.length) - first;
  let same = 0;
  while (same < most && a[a.length - 1 - same] === b[b.length - 1 - same]) same++;
  const told = [a.slice(first, a.length - same), b.slice(first, b.length - same)] as const;
  const [left, right] = isHidden(told[0].join(""), told[1].join(""), same === 0)
    ? [plain(told[0]), plain(told[1])]
    : told;
  const shown = (units: readonly string[]) => [...a.slice(0, first), ...units, ...a.slice(a.length - same)];
  const [whole, other] = [shown(left), shown(right)];
  if (width === undefined || (columns(whole, 0, width) <= width && columns(other, 0, width) <= width))
    return { from: whole.join(""), to: other.join("") };
  const start = startOf(whole, other, first, width);
  return {
    from: piece(whole, { start, least: first + left.length, width }),
    to: piece(other, { start, least: first + right.length, width }),
  };
}

/** Columns before the first difference that say where it is. */
const BEFORE = 24;

/** From where both are shown: a little before they differ, or as far before it as there is room for. */
function startOf(a: readonly string[], b: readonly string[], first: number, width: number): number {
  const before = Math.min(BEFORE, Math.floor(width / 3));
  let start = first;
  for (let used = 0; start > 0; start--) {
    used += widthOf(a[start - 1]);
    if (used > before) break;
  }
  let used = Math.max(columns(a, start, width), columns(b, start, width)) + 1;
  for (; start > 0; start--) {
    used += widthOf(a[start - 1]);
    if (used > width) break;
  }
  // The mark of something left out is no shorter than one unit.
  return start === 1 ? 0 : start;
}

interface Window {
  readonly start: number;
  /** The units before this one are shown in any case. */
  readonly least: number;
  readonly width: number;
}

/** What of the units fits, with a mark for what is left out. */
function piece(units: readonly string[], { start, least, width }: Window): string {
  const head = start === 0 ? "" : CUT;
  const isAll = columns(units, start, width) + head.length <= width;
  let room = width - head.length - (isAll ? 0 : 1);
  let end = start;
  while (end < units.length && (end < least || room >= widthOf(units[end]))) room -= widthOf(units[end++]);
  // Where lines are broken anyway, a mark in the place of a quote would save nothing.
  if (room < 0 && columns(units, end, CLOSE) <= CLOSE) end = units.length;
  return `${head}${units.slice(start, end).join("")}${end === units.length ? "" : CUT}`;
}

const CUT = "…";
/** Columns that are not worth a mark. */
const CLOSE = 3;
const widthOf = (unit = "") => (unit.length === 1 && unit <= "~" ? 1 : displayWidth(unit));

/** Columns of the units from `start` on; no more are counted once there are more than `most`. */
function columns(units: readonly string[], start: number, most: number): number {
  let sum = 0;
  for (let i = start; i < units.length && sum <= most; i++) sum += widthOf(units[i]);
  return sum;
}

/** A word of letters, each with the few marks that a script has; anything else that has marks may hide some. */
const LETTERS = /^(?:\p{L}\p{M}{0,3})+$/u;
const MARKED = /\p{M}/u;
const BLANK = /^(?! )[\p{Zs}\u2800]$/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;

/** What is shown of a text, in pieces that are never divided; each takes a column or more. */
function unitsOf(text: string): string[] {
  const shown = visible(text);
  if (/^[\x20-\x7e]*$/.test(shown)) return shown.split("");
  return [...graphemesOf(shown)].flatMap(({ segment }) => {
    if (BLANK.test(segment)) return escaped(segment);
    if (!MARKED.test(segment) || LETTERS.test(segment) || EMOJI.test(segment)) return [segment];
    return [...segment].flatMap((character) => (MARKED.test(character) ? escaped(character) : [character]));
  });
}

const doubled = (text: string) => text.replaceAll("\\", "\\\\");

const plain = (units: readonly string[]) => [...units.join("")].flatMap(escaped);

function escaped(character: string): string[] {
  if (/^[\x21-\x7e]$/.test(character)) return [character];
  return `\\u{${character.codePointAt(0)?.toString(16)}}`.split("");
}

/** Letters that look like one of ASCII, and those. */
const TWINS = "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονι";
const ASCII = "ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXovi";

const skeleton = (text: string) =>
  [...text]
    .map((character) => ASCII[TWINS.indexOf(character)] ?? character)
    .join("")
    .normalize("NFKC");

/** Whether nobody would see the difference of two parts. Blanks at the end are not seen either. */
function isHidden(a: string, b: string, isEnd: boolean): boolean {
  return skeleton(a) === skeleton(b) || (isEnd && `${a}${b}`.trim() === "");
}
