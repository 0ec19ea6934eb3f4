import { printedLine, visible } from "../model/visible.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { displayWidth, padEnd } from "./width.ts";

/** One line of a server's output, as the wire has it. */
export interface LogLine {
  readonly name: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
  /** Unix ms; absent where nobody recorded it. */
  readonly ts_unix_ms?: number;
}

/** What a person wants of each line. */
export interface LineWish {
  /** When it was printed, too. */
  readonly timestamps?: boolean;
  /** Another text for it, in one line or several; undefined: none for this line. */
  readonly pretty?: ((line: string) => string | undefined) | undefined;
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
export function logFormatter(
  names: readonly string[],
  screen: LineScreen,
  { timestamps = false, pretty }: LineWish = {},
): (line: LogLine) => string {
  const paint = painter(screen);
  const format = new Set(names).size > 1 ? named(names, paint) : tagged(paint);
  return (line) => {
    const { ts_unix_ms: ms } = line;
    const at = timestamps && ms !== undefined ? `${paint("dim", localTime(ms))} ` : "";
    const text = pretty?.(line.line);
    if (text === undefined) return format({ ...shownLine(line, screen), at });
    return text
      .split("\n")
      .map((part) => format({ ...line, line: part, at }))
      .join("\n");
  };
}

/** As ISO 8601 has it, with the offset of the zone: `2026-01-31T12:00:00.000+01:00`. */
export function localTime(ms: number): string {
  const offset = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
  const two = (number: number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

/** A line with what comes before its text. */
type Timed = LogLine & { readonly at?: string };

function tagged(paint: Paint): (line: Timed) => string {
  const [out, err] = [paint("dim", "[out]"), paint("red", "[err]")];
  return ({ stream, line, at = "" }) => `${at}${stream === "stderr" ? err : out} ${line}`;
}

/** `name | line`, with aligned names, each in its colour. */
export function named(names: readonly string[], paint: Paint): (line: Timed) => string {
  const ordered = [...new Set(names)].sort();
  const column = Math.max(0, ...ordered.map((name) => displayWidth(visible(name))));
  const style = (name: string) => PALETTE[Math.max(0, ordered.indexOf(name)) % PALETTE.length] ?? "cyan";
  return ({ name, stream, line, at = "" }) => {
    const bar = stream === "stderr" ? paint("red", "|") : "|";
    return `${paint(style(name), padEnd(visible(name), column))} ${bar} ${at}${line}`;
  };
}
