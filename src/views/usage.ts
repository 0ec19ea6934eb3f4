import { uptime } from "../model/elapsed.ts";
import type { StateName } from "../model/observed.ts";
import { bytes, percent } from "./amounts.ts";
import { ASLEEP, type Bridged, clientsText, sessionLines } from "./bridge.ts";
import { stateStyle } from "./list.ts";
import type { Screen } from "./screen.ts";
import { type Cell, type Column, table } from "./table.ts";
import { strokesOf } from "./tree.ts";
import { cut, wrapHard } from "./width.ts";

/** What processes and servers use. */

interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly command: string;
  readonly cpu_percent: number;
  readonly memory_bytes: number;
  readonly started_at_unix_ms?: number | undefined;
  readonly left?: true | undefined;
}

export interface Family {
  /** Parents before children. */
  readonly processes: readonly ProcessRow[];
  readonly cpu_percent: number;
  readonly memory_bytes: number;
  readonly sleeping?: true | undefined;
  /** Of a server over stdin and stdout: whom its processes work for. */
  readonly bridge?: Bridged | undefined;
}

const PROCESS_COLUMNS: readonly Column[] = [
  { heading: "PID", numeric: true },
  { heading: "CPU", numeric: true, drops: 1 },
  { heading: "MEMORY", numeric: true, drops: 2 },
  { heading: "UP", drops: 3 },
  { heading: "COMMAND", flexible: true },
];

const LEFT =
  '(left): runs on its own, as a daemon does. Stopping the server leaves it running unless it has `stop { descendants "all"; }`.';

/** Processes as a tree in a table, and their sum, with a newline at its end. */
export function childrenView(family: Family, screen: Screen & { readonly ascii: boolean }): string {
  const stems = stemsOf(family.processes, screen.ascii);
  const owners = new Map(
    (family.bridge?.children ?? []).map(({ pid, session }) => [
      pid,
      session === undefined ? "" : `[${session}] `,
    ]),
  );
  const rows = family.processes.map((one, i): Cell[] => [
    { text: String(one.pid) },
    { text: percent(one.cpu_percent) },
    { text: bytes(one.memory_bytes) },
    { text: one.started_at_unix_ms === undefined ? "-" : uptime(screen.now - one.started_at_unix_ms) },
    { text: `${stems[i] ?? ""}${one.left ? "(left) " : ""}${owners.get(one.pid) ?? ""}${one.command}` },
  ]);
  const count = family.processes.length;
  const sum: Cell[] = [
    { text: "" },
    { text: percent(family.cpu_percent) },
    { text: bytes(family.memory_bytes) },
    { text: "" },
    { text: `${count} ${count === 1 ? "process" : "processes"}`, style: "dim" },
  ];
  const leftovers = family.processes.some(({ left }) => left) ? `${wrapHard(LEFT, screen.width)}\n` : "";
  const processes = table(PROCESS_COLUMNS, count > 1 ? [...rows, sum] : rows, screen);
  return `${processes}${leftovers}${bridgeText(family, screen)}`;
}

/** The clients of a server over stdin and stdout, after its processes. */
function bridgeText({ bridge, sleeping }: Family, { now, width }: Screen): string {
  if (bridge === undefined) return "";
  const clients = sessionLines(bridge, now).map((line) => cut(line, width));
  const head = clients.length === 0 ? "No clients." : `${clientsText(bridge.session_count)}:`;
  return [...(sleeping ? [ASLEEP] : []), head, ...clients].map((line) => `${line}\n`).join("");
}

/** What is drawn before each command. */
function stemsOf(processes: readonly ProcessRow[], ascii: boolean): string[] {
  const strokes = strokesOf(ascii);
  const known = new Set(processes.map(({ pid }) => pid));
  const below = new Map<number, string>();
  return processes.map(({ pid, ppid }, i) => {
    if (!known.has(ppid)) {
      below.set(pid, "");
      return "";
    }
    const isLast = !processes.slice(i + 1).some((other) => other.ppid === ppid);
    const before = below.get(ppid) ?? "";
    below.set(pid, before + (isLast ? "   " : strokes.down));
    return before + (isLast ? strokes.last : strokes.branch);
  });
}

export interface StatsRow {
  readonly name: string;
  readonly project: string;
  readonly state: StateName;
  readonly uptime_secs?: number | undefined;
  readonly cpu_percent: number;
  readonly memory_bytes: number;
  readonly counted: {
    readonly availability: number | null;
    readonly restarts: number;
    readonly failures: number;
    readonly runs: { readonly mean_secs: number } | null;
  } | null;
}

const STATS_COLUMNS: readonly Column[] = [
  { heading: "NAME", flexible: true },
  { heading: "STATE", drops: 1 },
  { heading: "AVAILABLE", numeric: true, drops: 3 },
  { heading: "UPTIME", drops: 4 },
  { heading: "MEAN RUN", drops: 6 },
  { heading: "RESTARTS", numeric: true, drops: 2 },
  { heading: "FAILURES", numeric: true, drops: 5 },
  { heading: "CPU", numeric: true },
  { heading: "MEMORY", numeric: true },
];

/** The table of `xy stats`, with a newline at its end. */
export function statsView(servers: readonly StatsRow[], screen: Screen): string {
  if (servers.length === 0) return "No servers. `xy apply` brings up what the configuration declares.\n";
  const several = new Set(servers.map(({ project }) => project)).size > 1;
  const rows = servers.map((server): Cell[] => {
    const { name, project, state, counted, uptime_secs: up } = server;
    const isUp = up !== undefined;
    return [
      { text: several ? `${project}/${name}` : name },
      { text: state, style: stateStyle(state, "ok") },
      { text: counted === null || counted.availability === null ? "-" : share(counted.availability) },
      { text: isUp ? uptime(up * 1000) : "-" },
      { text: counted?.runs ? uptime(counted.runs.mean_secs * 1000) : "-" },
      { text: counted === null ? "-" : String(counted.restarts) },
      { text: counted === null ? "-" : String(counted.failures) },
      { text: isUp ? percent(server.cpu_percent) : "-" },
      { text: isUp ? bytes(server.memory_bytes) : "-" },
    ];
  });
  return table(STATS_COLUMNS, rows, screen);
}

/** Never rounded up to 100%: one bad minute should be seen. */
const share = (value: number) => (value === 1 ? "100%" : `${(Math.floor(value * 10_000) / 100).toFixed(2)}%`);
