import { visibleLines } from "../model/visible.ts";

/** Where a view's text goes. */
export interface Screen {
  readonly colour: boolean;
  /** Columns of the terminal. Absent: no terminal, nothing is ever cut. */
  readonly width?: number;
  /** Unix ms. */
  readonly now: number;
  /** Shortens a path for people, e.g. relative to the working folder. */
  readonly shorten?: (path: string) => string;
  /**
   * The environment that a process gets without any configuration: values equal to it are not worth showing. The folders
   * of `programs` come first on PATH. Absent: not known, so everything is shown.
   */
  readonly given?: (programs: readonly string[]) => Given;
  /** Settings that have their default value are shown too. */
  readonly defaults?: boolean;
}

/** Variables by name. */
export type Given = Readonly<Record<string, string>>;

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;
export type Style = keyof typeof CODES;

export type Paint = (style: Style, text: string) => string;

/**
 * Colours text, or leaves it alone. Whether to colour was decided by the caller, so unlike `styleText` it asks neither
 * the environment nor a stream.
 */
export function painter({ colour }: Pick<Screen, "colour">): Paint {
  return (style, text) =>
    colour && text !== "" ? `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m` : text;
}

const NUMBERS = [...new Set(Object.values(CODES).flat())].join("|");
const OWN_CODE = new RegExp(`(\\u001b\\[(?:${NUMBERS})m)`);

/**
 * The last check of a view's text: line feeds and the codes of a {@link painter} pass, other control characters become
 * visible. Views escape text from outside themselves, to get widths right; this catches what one forgets.
 */
export function onScreen(text: string, { colour }: Pick<Screen, "colour">): string {
  if (!colour) return visibleLines(text);
  const pieces = text.split(OWN_CODE);
  return pieces.map((piece, i) => (i % 2 === 0 ? visibleLines(piece) : piece)).join("");
}
