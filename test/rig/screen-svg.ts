import type { Piece, Row } from "./terminal-rows.ts";

/** Pixels: a cell, where the first one is, and the space around all of them. */
const CELL = { width: 8.4, height: 19 };
const FONT = 14;
const BASELINE = 14;
const MARGIN = 16;
const BAR = 30;

/**
 * The sixteen colours as such a picture has them: each has a contrast of 4.5 or more to the window, which has a dark
 * ground of its own, so that pages of either kind can hold it.
 */
const CLASSES = ["k", "r", "g", "y", "b", "m", "c", "w"] as const;
const STYLE = [
  "text{fill:#d5dbe5;white-space:pre}",
  ".B{font-weight:700;fill:#fff}",
  ".D{fill:#98a2b3}",
  ".k{fill:#98a2b3}.r{fill:#ff8b8b}.g{fill:#7ee08a}.y{fill:#f2cc60}.b{fill:#7db7ff}.m{fill:#e29bff}.c{fill:#5fd7e0}.w{fill:#d5dbe5}",
].join("");

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);
const number = (value: number) => String(Math.round(value * 10) / 10);

export interface Picture {
  readonly title: string;
  /** For those who do not see it. */
  readonly description: string;
  readonly columns: number;
  readonly rows: readonly Row[];
}

/** A window of a terminal as SVG. Its text stays text: it can be selected, searched, and read aloud. */
export function svgOf({ title, description, columns, rows }: Picture): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = BAR + rows.length * CELL.height + MARGIN;
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, i) => `<circle cx="${MARGIN + 6 + i * 20}" cy="${BAR / 2 + 2}" r="5.5" fill="${fill}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${FONT}">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" fill="#161b22" stroke="#6e7681"/>`,
    dots.join(""),
    ...rows.map(({ pieces }, i) => rowOf(pieces, BAR + i * CELL.height + BASELINE)),
    "</svg>\n",
  ].join("\n");
}

const rowOf = (pieces: readonly Piece[], y: number): string =>
  `<text y="${y}" xml:space="preserve">${pieces.map(tspanOf).join("")}</text>`;

/** Its place and length are said, so that columns are columns whatever the font is. */
function tspanOf({ text, column, columns, ...look }: Piece): string {
  const x = number(MARGIN + column * CELL.width);
  const names = [
    look.isDim ? "D" : [],
    look.isBold ? "B" : [],
    look.colour === undefined ? [] : (CLASSES[look.colour % CLASSES.length] ?? []),
  ].flat();
  const style = names.length === 0 ? "" : ` class="${names.join(" ")}"`;
  return `<tspan x="${x}" textLength="${number(columns * CELL.width)}"${style}>${escaped(text)}</tspan>`;
}

/** The text of such a picture, a line for each row. */
export function textOfSvg(svg: string): string {
  const rows = [...svg.matchAll(/^<text [^>]*>(.*)<\/text>$/gm)].map(([, row = ""]) =>
    row.replace(/<[^>]*>/g, ""),
  );
  const signs = Object.entries(ESCAPES).reverse();
  return signs.reduce((text, [sign, written]) => text.replaceAll(written, sign), rows.join("\n"));
}

/** How a picture is drawn, whatever is in it. */
export const styleOfSvg = (svg: string): string => /<style>.*/.exec(svg)?.[0] ?? "";
