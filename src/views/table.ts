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
}

const GAP = "  ";
/** Columns that a flexible column keeps at least, if it has so much. */
const SHORTEST = 8;

/** A table with its headings, each row with a newline at its end. What is in its cells is made visible. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string {
  const paint = painter(screen);
  const head = columns.map(({ heading }): Cell => ({ text: heading, style: "bold" }));
  const all = [head, ...rows].map((row) => row.map((cell) => ({ ...cell, text: visible(cell.text) })));
  const widths = widthsOf(columns, all, screen.width);
  return all.map((row) => `${line(columns, row, widths, paint)}\n`).join("");
}

/** The widest flexible column gives way first. */
function widthsOf(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
): number[] {
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => displayWidth(row[i]?.text ?? ""))));
  const whole = () => widths.reduce((sum, w) => sum + w + GAP.length, -GAP.length);
  for (let excess = whole() - (width ?? Number.POSITIVE_INFINITY); excess > 0; excess--) {
    const flexible = columns.flatMap(({ flexible: gives }, i) =>
      gives && (widths[i] ?? 0) > SHORTEST ? [i] : [],
    );
    const [widest] = flexible.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function line(
  columns: readonly Column[],
  row: readonly Cell[],
  widths: readonly number[],
  paint: Paint,
): string {
  const texts = row.map(({ text, style }, i) => {
    const [column, width = 0] = [columns[i], widths[i]];
    const short = column?.flexible ? cut(text, width) : text;
    const painted = style === undefined ? short : paint(style, short);
    return column?.numeric ? padStart(painted, width) : padEnd(painted, width);
  });
  return texts.join(GAP).trimEnd();
}
