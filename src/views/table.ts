import { visible } from "../model/visible.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { cut, displayWidth, padEnd, padStart } from "./width.ts";

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Column {
  readonly heading: string;
  /** Aligned to the right. */
  readonly numeric?: boolean;
  /** Cut where the terminal is too narrow; the others are short and worth more. */
  readonly flexible?: boolean;
  /** Left out where the terminal is too narrow, the highest first. */
  readonly drops?: number;
  /** Shown only where nothing has to give way to it. */
  readonly extra?: boolean;
}

const GAP = "  ";
/** Columns that a flexible column keeps before others are left out, if it has so much, and after that. */
const ROOMY = 16;
const SHORTEST = 8;

/**
 * A table with its headings, each row with a newline at its end. What is in its cells is made visible. On a terminal each
 * row is one line: flexible columns are cut, and others left out, until it is. Elsewhere all of it is there.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string {
  const paint = painter(screen);
  const head = columns.map(({ heading }): Cell => ({ text: heading, style: "bold" }));
  const all = [head, ...rows].map((row) => row.map((cell) => ({ ...cell, text: visible(cell.text) })));
  const natural = columns.map((column, i) => ({
    ...{ column, i },
    width: Math.max(...all.map((row) => displayWidth(row[i]?.text ?? ""))),
  }));
  const shown = screen.width === undefined ? natural : fitted(natural, Math.max(1, screen.width));
  return all.map((row) => `${line(shown, row, paint)}\n`).join("");
}

/** A column that is shown: which of those given, and how wide. */
interface Shown {
  readonly column: Column;
  readonly i: number;
  readonly width: number;
}

const wholeWidth = (shown: readonly Shown[]) =>
  shown.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);

function fitted(natural: readonly Shown[], room: number): readonly Shown[] {
  const extra = natural.findLast(({ column }) => column.extra);
  if (extra !== undefined && wholeWidth(natural) > room) return fitted(without(natural, extra), room);
  const droppable = natural.filter(({ column }) => column.drops !== undefined);
  const [first] = droppable.sort((a, b) => (b.column.drops ?? 0) - (a.column.drops ?? 0));
  if (first !== undefined && leastWidth(natural, ROOMY) > room) return fitted(without(natural, first), room);
  const last = natural.at(-1);
  if (last !== undefined && natural.length > 1 && leastWidth(natural, SHORTEST) > room)
    return fitted(without(natural, last), room);
  return natural.length === 1
    ? natural.map((one) => ({ ...one, width: Math.min(one.width, room) }))
    : shrunk(natural, room);
}

const without = (shown: readonly Shown[], one: Shown) => shown.filter((other) => other !== one);

/** With as much of each flexible column as it keeps at least. */
const leastWidth = (shown: readonly Shown[], kept: number) =>
  wholeWidth(shown.map((one) => (one.column.flexible ? { ...one, width: Math.min(one.width, kept) } : one)));

/** The widest flexible column gives way first. */
function shrunk(natural: readonly Shown[], room: number): readonly Shown[] {
  const shown = [...natural];
  for (let excess = wholeWidth(shown) - room; excess > 0; excess--) {
    const flexible = shown.filter(({ column, width }) => column.flexible && width > SHORTEST);
    const [widest] = flexible.sort((a, b) => b.width - a.width);
    if (widest === undefined) break;
    shown[shown.indexOf(widest)] = { ...widest, width: widest.width - 1 };
  }
  return shown;
}

function line(shown: readonly Shown[], row: readonly Cell[], paint: Paint): string {
  const texts = shown.map(({ column, i, width }) => {
    const { text = "", style } = row[i] ?? {};
    const short = cut(text, width);
    const painted = style === undefined ? short : paint(style, short);
    return column.numeric ? padStart(painted, width) : padEnd(painted, width);
  });
  return texts.join(GAP).trimEnd();
}
