import { printedLine, visible } from "../model/visible.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { displayWidth, padEnd } from "./width.ts";

/** One line of a server's output, as the wire has it. */
export interface LogLine {
  readonly name: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** Where lines of servers go. */
export interface LineScreen extends Pick<Screen, "colour"> {
  /** What of them goes there: all bytes, or all but what a terminal would obey, with their colours or without. */
  readonly keep: "all" | "colours" | "text";
}

/** A line as it goes there. */
export function shownLine<T extends Pick<LogLine, "line">>(line: T, { keep }: Pick<LineScreen, "keep">): T {
  return keep === "all" ? line : { ...line, line: printedLine(line.line, keep === "colours") };
}

const PALETTE: readonly Style[] = ["cyan", "yellow", "green", "magenta", "blue"];

/**
 * How lines of these servers are written, without newline: `[out] line` for one server, `name | line` with aligned
 * names, each in its colour, for several.
 */
export function logFormatter(names: readonly string[], screen: LineScreen): (line: LogLine) => string {
  const paint = painter(screen);
  const format = new Set(names).size > 1 ? named(names, paint) : tagged(paint);
  return (line) => format(shownLine(line, screen));
}

function tagged(paint: Paint): (line: LogLine) => string {
  const [out, err] = [paint("dim", "[out]"), paint("red", "[err]")];
  return ({ stream, line }) => `${stream === "stderr" ? err : out} ${line}`;
}

/** `name | line`, with aligned names, each in its colour. */
export function named(names: readonly string[], paint: Paint): (line: LogLine) => string {
  const ordered = [...new Set(names)].sort();
  const column = Math.max(0, ...ordered.map((name) => displayWidth(visible(name))));
  const style = (name: string) => PALETTE[Math.max(0, ordered.indexOf(name)) % PALETTE.length] ?? "cyan";
  return ({ name, stream, line }) => {
    const bar = stream === "stderr" ? paint("red", "|") : "|";
    return `${paint(style(name), padEnd(visible(name), column))} ${bar} ${line}`;
  };
}
