import { visible } from "../model/visible.ts";
import { painter, type Screen } from "./screen.ts";
import { padEnd, padStart, wrapLines } from "./width.ts";

/** One row of the history. */
export interface HistoryRow {
  readonly number: number;
  /** Absent for a generation whose file cannot be read. */
  readonly facts?: {
    /** Unix ms. */
    readonly at: number;
    readonly outcome: "begun" | "complete" | "incomplete";
    readonly rollbackOf?: number | undefined;
    readonly changes: {
      readonly add: readonly string[];
      readonly change: readonly string[];
      readonly remove: readonly string[];
    };
    readonly files: readonly string[];
  };
}

const OUTCOMES = { begun: "interrupted", complete: "complete", incomplete: "with failures" } as const;

/** The history, newest generation first, with a newline at its end. */
export function historyView(rows: readonly HistoryRow[], screen: Screen): string {
  if (rows.length === 0) return "Nothing was applied yet.\n";
  const paint = painter(screen);
  const width = String(rows.at(-1)?.number ?? 0).length;
  const lines = rows.toReversed().map(({ number, facts }) => {
    const label = paint("bold", padStart(String(number), width));
    if (!facts) return `${label}  ${paint("red", "cannot be read")}`;
    const outcome = padEnd(OUTCOMES[facts.outcome], "with failures".length);
    return `${label}  ${whenText(facts)}  ${paint(facts.outcome === "complete" ? "green" : "yellow", outcome)}  ${told(facts)}`;
  });
  return wrapLines(`${lines.join("\n")}\n`, screen.width);
}

/** Unix ms as a date and time. */
export const whenText = ({ at }: { readonly at: number }): string =>
  `${new Date(at).toISOString().replace("T", " ").slice(0, 19)}Z`;

function told({ changes, rollbackOf, files }: NonNullable<HistoryRow["facts"]>): string {
  const parts = [
    ...changes.add.map((name) => `+${name}`),
    ...changes.change.map((name) => `~${name}`),
    ...changes.remove.map((name) => `-${name}`),
  ];
  const from =
    rollbackOf === undefined
      ? `${files.length} ${files.length === 1 ? "file" : "files"}`
      : `rollback to ${rollbackOf}`;
  return visible(`${parts.join(" ") || "nothing"} (${from})`);
}
