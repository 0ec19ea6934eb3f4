import { uptime } from "../model/elapsed.ts";
import type { Observed, StateName, Verdict } from "../model/observed.ts";
import { visible } from "../model/visible.ts";
import { bytes, percent } from "./amounts.ts";
import { clientsText } from "./bridge.ts";
import type { Screen, Style } from "./screen.ts";
import { type Cell, type Column, table } from "./table.ts";
import { cut, wrapHard } from "./width.ts";

const COLUMNS: readonly Column[] = [
  { heading: "NAME", flexible: true },
  { heading: "STATE", flexible: true },
  { heading: "READY", drops: 2 },
  { heading: "PID", numeric: true, drops: 4 },
  { heading: "PORT", numeric: true, drops: 1 },
  { heading: "UPTIME", drops: 3 },
  { heading: "RESTARTS", numeric: true, drops: 5 },
];
/** Where servers are sorted by what they use. */
const USAGE_COLUMNS: readonly Column[] = [
  { heading: "CPU", numeric: true },
  { heading: "MEMORY", numeric: true },
];
const URL_COLUMN: Column = { heading: "URL", extra: true };

/** One row of the table. */
export interface ListRow extends Pick<Observed, "name" | "project" | "state"> {
  /** Undefined: not counted. */
  readonly restartCount: number | undefined;
  readonly pid: number | undefined;
  readonly port: number | null;
  /** For clients on this machine, where it speaks HTTP. */
  readonly url?: string | undefined;
  readonly uptimeMs: number | undefined;
  /** Null: not yet known. */
  readonly ready: boolean | null;
  /** An operator stopped it. */
  readonly held: boolean;
  readonly paused?: boolean;
  /** Its process cannot be watched at the moment. */
  readonly unwatched?: boolean;
  /** It runs, and none of its own processes does until the next request. */
  readonly sleeping?: boolean;
  /** How many clients its bridge has; undefined: it has no bridge. */
  readonly clients?: number | undefined;
  /** Whether it is probed continuously. Default true. */
  readonly isWatched?: boolean;
  /** Names of the servers whose state it waits for. */
  readonly waitsFor?: readonly string[];
  /** No configuration declares it. */
  readonly kept?: boolean;
  /** What its processes use, where that was asked for. */
  readonly usage?: { readonly cpu_percent: number; readonly memory_bytes: number } | undefined;
}

/** The table of `xy list`, in the order given, with a newline at its end. */
export function listView(servers: readonly ListRow[], screen: Screen): string {
  if (servers.length === 0) return "No servers. `xy apply` brings up what the configuration declares.\n";
  const several = new Set(servers.map(({ project }) => project)).size > 1;
  const rows = servers.map((server) => cells(server, several));
  const kept = servers.filter((server) => server.kept).map((server) => labelOf(server, several));
  const told = `Not in any configuration: ${visible(kept.join(", "))}; \`xy forget NAME\` removes one.\n`;
  return tableOf(servers, rows, screen) + (kept.length === 0 ? "" : wrapHard(told, screen.width));
}

function tableOf(servers: readonly ListRow[], rows: readonly Cell[][], screen: Screen): string {
  const isUsed = servers.some(({ usage }) => usage !== undefined);
  const hasUrl = servers.some(({ url }) => url !== undefined);
  const columns = [...COLUMNS, ...(isUsed ? USAGE_COLUMNS : []), ...(hasUrl ? [URL_COLUMN] : [])];
  const whole = rows.map((row, i) => [
    ...row,
    ...(isUsed ? usageCells(servers[i]?.usage) : []),
    { text: servers[i]?.url ?? "-" },
  ]);
  return table(columns, whole, screen);
}

function usageCells(usage: ListRow["usage"]): Cell[] {
  if (usage === undefined) return [{ text: "-" }, { text: "-" }];
  return [{ text: percent(usage.cpu_percent) }, { text: bytes(usage.memory_bytes) }];
}

const labelOf = ({ project, name }: ListRow, several: boolean) => (several ? `${project}/${name}` : name);

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

/** Most columns for a state that names another server. */
const LONGEST_STATE = 24;

/** What a server is doing, and what keeps it from changing by itself. */
export interface StateFacts {
  readonly state: StateName;
  readonly held: boolean;
  readonly paused: boolean;
  readonly unwatched?: boolean;
  readonly sleeping?: boolean;
  readonly clients?: number | undefined;
  /** Names of the servers whose state it waits for. */
  readonly waitsFor: readonly string[];
}

export function stateText(facts: StateFacts): string {
  const { state, held, paused, unwatched = false, sleeping = false, clients = 0, waitsFor } = facts;
  const [first, ...others] = waitsFor;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` +${others.length}`;
    return cut(`waits for ${visible(first)}`, LONGEST_STATE - more.length) + more;
  }
  if (state === "stopped" && held) return "stopped (held)";
  if (unwatched) return `${state} (unwatched)`;
  if (paused) return `${state} (paused)`;
  if (sleeping) return `${state} (asleep)`;
  return clients === 0 ? state : `${state} (${clientsText(clients)})`;
}

function cells(server: ListRow, several: boolean): Cell[] {
  const { state, ready, pid, uptimeMs, held, paused = false, unwatched = false, waitsFor = [] } = server;
  const { sleeping = false, clients } = server;
  const verdict = ready === null ? "unknown" : ready ? "ok" : "failing";
  return [
    { text: labelOf(server, several) },
    {
      text: stateText({ state, held, paused, unwatched, sleeping, clients, waitsFor }),
      style: waitsFor.length > 0 || unwatched ? "yellow" : stateStyle(state, verdict),
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
