import type { Screen } from "./screen.ts";
import { type Column, table } from "./table.ts";

/** The port of a server. */
export interface PortRow {
  readonly name: string;
  readonly project: string;
  readonly port: number;
  /** It was chosen, and is kept. */
  readonly chosen: boolean;
  /** It is to be chosen anew. */
  readonly reset: boolean;
}

const COLUMNS: readonly Column[] = [
  { heading: "NAME", flexible: true },
  { heading: "PORT", numeric: true },
  { heading: "HOW", flexible: true },
];

/** The table of `xy ports`, in the order given, with a newline at its end. */
export function portsView(rows: readonly PortRow[], screen: Screen): string {
  if (rows.length === 0) return "No ports. `xy apply` brings up what the configuration declares.\n";
  const several = new Set(rows.map(({ project }) => project)).size > 1;
  return table(
    COLUMNS,
    rows.map((row) => [
      { text: several ? `${row.project}/${row.name}` : row.name },
      { text: String(row.port) },
      howOf(row),
    ]),
    screen,
  );
}

function howOf({ chosen, reset }: PortRow): { text: string; style?: "yellow" } {
  if (reset) return { text: "chosen; the next apply chooses a new one", style: "yellow" };
  return { text: chosen ? "chosen" : "declared" };
}
