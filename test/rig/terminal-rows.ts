import xterm from "@xterm/headless";

/** How a piece of text looks on a terminal. A colour is one of the sixteen that terminals have names for. */
interface Look {
  readonly colour?: number;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** Text of one look. A character of two columns is a piece of its own. */
export interface Piece extends Look {
  readonly text: string;
  readonly column: number;
  readonly columns: number;
}

export interface Row {
  readonly pieces: readonly Piece[];
  /** The terminal began this row because the one before was full. */
  readonly isBroken: boolean;
}

/** Rows of a terminal, what has scrolled away too. */
const ROWS = 24;
const KEPT_ROWS = 10_000;

/** What a terminal of so many columns shows when it has been sent all of `output`: the rows up to the last with text. */
export async function rowsOf(output: string, columns: number): Promise<readonly Row[]> {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: ROWS,
    scrollback: KEPT_ROWS,
    allowProposedApi: true,
  });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, i) => active.getLine(i));
  const rows = lines.map((line) => ({ pieces: piecesOf(line), isBroken: line?.isWrapped === true }));
  terminal.dispose();
  return rows.slice(0, rows.findLastIndex(({ pieces }) => pieces.length > 0) + 1);
}

type Line = ReturnType<xterm.IBuffer["getLine"]>;

function piecesOf(line: Line): readonly Piece[] {
  const pieces: Piece[] = [];
  const end = line?.translateToString(true).trimEnd() === "" ? 0 : (line?.length ?? 0);
  for (let column = 0; column < end; column++) {
    const cell = line?.getCell(column);
    const columns = cell?.getWidth() ?? 0;
    // The second column of a wide character.
    if (cell === undefined || columns === 0) continue;
    const look = lookOf(cell);
    const text = cell.getChars() || " ";
    const last = pieces.at(-1);
    if (last && columns === 1 && last.text.length === last.columns && isSame(last, look)) {
      pieces[pieces.length - 1] = { ...last, text: last.text + text, columns: last.columns + 1 };
    } else pieces.push({ ...look, text, column, columns });
  }
  const last = pieces.at(-1);
  if (last?.text.trim() === "") pieces.pop();
  else if (last) {
    const text = last.text.trimEnd();
    pieces[pieces.length - 1] = { ...last, text, columns: last.columns - (last.text.length - text.length) };
  }
  return pieces;
}

function lookOf(cell: xterm.IBufferCell): Look {
  return {
    ...(cell.isFgPalette() ? { colour: cell.getFgColor() } : {}),
    isBold: cell.isBold() !== 0,
    isDim: cell.isDim() !== 0,
  };
}

const isSame = (a: Look, b: Look) => a.colour === b.colour && a.isBold === b.isBold && a.isDim === b.isDim;

/** The text of rows, as somebody would copy it from the terminal. */
export const textOfRows = (rows: readonly Row[]): string =>
  rows.map(({ pieces }) => pieces.map(({ text }) => text).join("")).join("\n");
