import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { displayWidth, padEnd } from "./width.ts";

/** One line of a server's output, as the wire has it. */
export interface LogLine {
  readonly name: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

const PALETTE: readonly Style[] = ["cyan", "yellow", "green", "magenta", "blue"];

/**
 * How lines of these servers are written, without newline: `[out] line` for one server, `name | line` with aligned
 * names, each in its colour, for several. A line itself stays as the server wrote it.
 */
export function logFormatter(
  names: readonly string[],
  screen: Pick<Screen, "colour">,
): (line: LogLine) => string {
  const paint = painter(screen);
  return new Set(names).size > 1 ? namedLines(names, paint) : (line) => taggedLine(line, paint);
}

function taggedLine({ stream, line }: LogLine, paint: Paint): string {
  return stream === "stderr" ? `${paint("red", "[err]")} ${line}` : `${paint("dim", "[out]")} ${line}`;
}

/** `name | line`, with aligned names, each in its colour. */
export function namedLines(names: readonly string[], paint: Paint): (line: LogLine) => string {
  const ordered = [...new Set(names)].sort();
  const column = Math.max(0, ...ordered.map(displayWidth));
  const style = (name: string) => PALETTE[Math.max(0, ordered.indexOf(name)) % PALETTE.length] ?? "cyan";
  return ({ name, stream, line }) => {
    const bar = stream === "stderr" ? paint("red", "|") : "|";
    return `${paint(style(name), padEnd(name, column))} ${bar} ${line}`;
  };
}
