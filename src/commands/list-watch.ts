import { pause } from "../backends/log-lines.ts";
import { EXIT } from "../model/exit-codes.ts";
import { visible } from "../model/visible.ts";
import { onScreen, painter, type Screen } from "../views/screen.ts";
import { cut } from "../views/width.ts";
import type { BaseCommand } from "./base.ts";

/** Pause between two looks, ms. */
const GAP = 2000;

/** What is watched: asked for every two seconds, and shown whenever it differs. */
interface Watched<D> {
  readonly look: () => Promise<D>;
  /** As a table for a terminal, a row each. */
  readonly text: (document: D, screen: Screen) => string;
  readonly title: string;
}

/**
 * Shows a list again and again until Ctrl-C: on a terminal in its place, with `--json` as a document on a line whenever
 * something has changed.
 */
export async function watch<D>(command: BaseCommand, watched: Watched<D>): Promise<void> {
  const { signal } = command;
  // From now on somebody sees that it is at work.
  command.endBusy();
  const terminal = command.liveTerminal;
  if (terminal) await onTerminal(command, terminal, watched, signal);
  else await asLines(command, watched, signal);
  command.interruptionIsTheEnd();
}

async function asLines<D>(command: BaseCommand, { look }: Watched<D>, signal: AbortSignal): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    const document = await look();
    const now = JSON.stringify(document, withoutTime);
    if (now !== last)
      command.showLine(document, () =>
        command.fail(
          EXIT.usage,
          "cannot redraw a list where there is no terminal: use --json with --watch, which prints a line for each change",
        ),
      );
    last = now;
    await pause(GAP, signal);
  }
}

/** What changes by itself is no change. */
const withoutTime = (key: string, value: unknown) =>
  key === "uptime_secs" || key === "cpu_percent" || key === "memory_bytes" ? undefined : value;

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

async function onTerminal<D>(
  command: BaseCommand,
  terminal: NodeJS.WriteStream,
  { look, text, title }: Watched<D>,
  signal: AbortSignal,
): Promise<void> {
  let document: D | undefined;
  let fault: string | undefined;
  const draw = () => {
    const screen = { ...command.screen, width: terminal.columns };
    const shown = document === undefined ? "" : text(document, screen);
    terminal.write(frame(onScreen(shown, screen), fault, title, { ...screen, rows: terminal.rows }));
  };
  const leave = () => void terminal.write(LEAVE);
  // A second signal ends the process at once.
  process.once("exit", leave);
  terminal.write(ENTER);
  terminal.on("resize", draw);
  try {
    while (!signal.aborted) {
      try {
        document = await look();
        fault = undefined;
      } catch (error) {
        // The agent may be replaced just now. The first look has to succeed.
        if (document === undefined) throw error;
        fault = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted) break;
      draw();
      await pause(GAP, signal);
    }
  } finally {
    terminal.off("resize", draw);
    process.off("exit", leave);
    leave();
  }
}

/** The whole screen: a title, as many rows as there is room for, and what went wrong. */
export function frame(
  shown: string,
  fault: string | undefined,
  title: string,
  screen: Screen & { readonly rows: number },
): string {
  const paint = painter(screen);
  const at = new Date(screen.now).toTimeString().slice(0, 8);
  const head = paint("dim", cut(`${title}  ${at}  Ctrl-C ends this`, screen.width));
  const foot = fault === undefined ? [] : [paint("red", cut(visible(fault), screen.width))];
  const rows = shown.trimEnd().split("\n");
  const room = Math.max(1, screen.rows - 1 - foot.length);
  const fitting =
    rows.length <= room ? rows : [...rows.slice(0, room - 1), `… ${rows.length - room + 1} more`];
  const lines = [head, ...fitting, ...foot].slice(0, Math.max(1, screen.rows));
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join("\n")}${CLEAR_BELOW}`;
}
