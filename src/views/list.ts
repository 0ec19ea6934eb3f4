import { uptime } from "../model/elapsed.ts";
import type { Observed, StateName, Verdict } from "../model/observed.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { cut, displayWidth, padEnd, padStart } from "./width.ts";

const HEADINGS = ["NAME", "STATE", "READY", "PID", "PORT", "UPTIME", "RESTARTS"] as const;
const NUMERIC: ReadonlySet<string> = new Set(["PID", "PORT", "RESTARTS"]);
const GAP = "  ";

interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** One row of the table. */
export interface ListRow extends Pick<Observed, "name" | "project" | "state"> {
  /** Undefined: nobody counts. */
  readonly restartCount: number | undefined;
  readonly pid: number | undefined;
  readonly port: number | null;
  readonly uptimeMs: number | undefined;
  /** Null: not known yet. */
  readonly ready: boolean | null;
  /** The operator said stop. */
  readonly held: boolean;
  readonly paused?: boolean;
  /** Somebody looks at it again and again. Default true. */
  readonly isWatched?: boolean;
  /** Names of the servers whose state it waits for. */
  readonly waitsFor?: readonly string[];
}

/** The table of `xy list`, in the order given, with a newline at its end. */
export function listView(servers: readonly ListRow[], screen: Screen): string {
  const paint = painter(screen);
  if (servers.length === 0) return "No servers. `xy apply` brings up what the configuration declares.\n";
  const several = new Set(servers.map(({ project }) => project)).size > 1;
  const head: Cell[] = HEADINGS.map((text) => ({ text, style: "bold" }));
  const rows = [head, ...servers.map((server) => cells(server, several))];
  const columns = widths(rows, screen.width);
  return rows.map((row) => `${line(fitName(row, columns), columns, paint)}\n`).join("");
}

/** `stateStyle("failed")` → `"red"`. A running server that is not ready is not green. */
export function stateStyle(state: StateName, ready: Verdict["status"]): Style {
  switch (state) {
    case "running":
      return ready === "ok" ? "green" : "yellow";
    case "failed":
      return "red";
    case "starting":
    case "restarting":
    case "stopping":
      return "yellow";
    case "stopped":
      return "dim";
  }
}

/** Columns of a state that names another server. */
const LONGEST_STATE = 24;

/** What a server is doing, and what keeps it from changing by itself. */
export interface StateFacts {
  readonly state: StateName;
  readonly held: boolean;
  readonly paused: boolean;
  /** Names of the servers whose state it waits for. */
  readonly waitsFor: readonly string[];
}

export function stateText({ state, held, paused, waitsFor }: StateFacts): string {
  const [first, ...others] = waitsFor;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` +${others.length}`;
    return cut(`waits for ${first}`, LONGEST_STATE - more.length) + more;
  }
  if (state === "stopped" && held) return "stopped (held)";
  return paused ? `${state} (paused)` : state;
}

function cells(server: ListRow, several: boolean): Cell[] {
  const { state, ready, pid, uptimeMs, held, paused = false, waitsFor = [] } = server;
  const verdict = ready === null ? "unknown" : ready ? "ok" : "failing";
  return [
    { text: several ? `${server.project}/${server.name}` : server.name },
    {
      text: stateText({ state, held, paused, waitsFor }),
      style: waitsFor.length > 0 ? "yellow" : stateStyle(state, verdict),
    },
    readyCell(state, verdict, server.isWatched ?? true),
    { text: pid === undefined ? "-" : String(pid) },
    { text: String(server.port ?? "-") },
    { text: state === "running" && uptimeMs !== undefined ? uptime(uptimeMs) : "-" },
    { text: String(server.restartCount ?? "-") },
  ];
}

function readyCell(state: StateName, ready: Verdict["status"], isWatched: boolean): Cell {
  if (state !== "running") return { text: "-" };
  switch (ready) {
    case "ok":
      return { text: "yes", style: "green" };
    case "failing":
      return { text: "no", style: "red" };
    case "unknown":
      return { text: isWatched ? "not yet" : "?", style: "yellow" };
  }
}

/** Only names are cut, since the other columns are short and worth more. */
function fitName(row: readonly Cell[], columns: readonly number[]): readonly Cell[] {
  const [name, ...others] = row;
  return name === undefined ? row : [{ ...name, text: cut(name.text, columns[0]) }, ...others];
}

function widths(rows: readonly (readonly Cell[])[], width: number | undefined): number[] {
  const natural = HEADINGS.map((_, i) => Math.max(...rows.map((row) => displayWidth(row[i]?.text ?? ""))));
  const excess =
    natural.reduce((sum, w) => sum + w + GAP.length, -GAP.length) - (width ?? Number.POSITIVE_INFINITY);
  const shortest = HEADINGS[0].length * 2;
  return natural.map((w, i) => (i === 0 && excess > 0 ? Math.max(Math.min(w, shortest), w - excess) : w));
}

function line(row: readonly Cell[], columns: readonly number[], paint: Paint): string {
  const texts = row.map(({ text, style }, i) => {
    const painted = style === undefined ? text : paint(style, text);
    return NUMERIC.has(HEADINGS[i] ?? "")
      ? padStart(painted, columns[i] ?? 0)
      : padEnd(painted, columns[i] ?? 0);
  });
  return texts.join(GAP).trimEnd();
}
