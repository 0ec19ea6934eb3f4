import { type ActionSpec, actionKey } from "../model/action.ts";
import { ago, span, uptime } from "../model/elapsed.ts";
import { type Job, type JobPhase, type JobSpec, jobLabel } from "../model/job.ts";
import { formatDuration } from "../model/units.ts";
import { visible } from "../model/visible.ts";
import { actionFacts, interestingFacts } from "./facts.ts";
import { painter, type Screen, type Style } from "./screen.ts";
import { type Cell, type Column, table } from "./table.ts";
import { displayWidth, padEnd, wrapHard } from "./width.ts";

const PHASE_STYLES: Readonly<Record<JobPhase, Style>> = {
  pending: "yellow",
  running: "cyan",
  succeeded: "green",
  failed: "red",
  cancelled: "dim",
};

const JOB_COLUMNS: readonly Column[] = [
  { heading: "ID", numeric: true },
  { heading: "WHAT", flexible: true },
  { heading: "PHASE" },
  { heading: "BY", drops: 3 },
  { heading: "BEGAN", drops: 1 },
  { heading: "TOOK", drops: 2 },
  { heading: "HOW", flexible: true },
];

/** The table of `xy jobs`, with a newline at its end. */
export function jobsView(jobs: readonly Job[], more: boolean, screen: Screen): string {
  if (jobs.length === 0) return "No jobs.\n";
  const several = new Set(jobs.map(({ project }) => project)).size > 1;
  const rows = jobs.map((job) => jobCells(job, several, screen.now));
  const rest = more
    ? `${wrapHard(`Older jobs are not shown: \`--cursor ${jobs.at(-1)?.id}\` shows the next ones, \`--limit\` more at once.`, screen.width)}\n`
    : "";
  return table(JOB_COLUMNS, rows, screen) + rest;
}

function jobCells(job: Job, several: boolean, now: number): Cell[] {
  const label = jobLabel(job);
  return [
    { text: String(job.id) },
    { text: several ? `${job.project}/${label}` : label },
    { text: job.phase, style: PHASE_STYLES[job.phase] },
    { text: job.trigger },
    { text: ago(now - (job.started_at ?? job.created_at)) },
    { text: took(job, now) },
    { text: outcome(job) },
  ];
}

/** How long the newest attempt took, or has taken. */
function took({ started_at, ended_at, phase }: Job, now: number): string {
  if (started_at === null || phase === "pending") return "-";
  const ms = Math.max(0, (ended_at ?? now) - started_at);
  return ms < 1000 ? formatDuration(Math.round(ms)) : uptime(ms);
}

/** How it ended, or what it waits for, as one clause. */
export function outcome({ phase, exit_code, signal, error }: Job): string {
  const exit = exit_code !== null ? `exit ${exit_code}` : (signal ?? "");
  switch (phase) {
    case "succeeded":
    case "running":
      return "";
    case "pending":
      return visible(error ?? "waits for its turn");
    case "failed":
    case "cancelled": {
      // Without an exit, only the error is known: it never started, or its end was not seen.
      if (exit === "") return visible(error ?? "");
      return error === null || error.startsWith(exit) ? exit : `${exit}: ${visible(error)}`;
    }
  }
}

/** Everything about one job. */
export function jobView(
  job: Job & { readonly spec: JobSpec | null; readonly log_path: string },
  screen: Screen,
): string {
  const paint = painter(screen);
  const shorten = screen.shorten ?? ((path: string) => path);
  const at = (time: number | null) =>
    time === null ? undefined : `${iso(time)} (${ago(screen.now - time)})`;
  const how = outcome(job);
  const facts: [string, string | undefined][] = [
    ["phase", how === "" ? job.phase : `${job.phase} (${how})`],
    ["project", job.project],
    ["server", job.service_id ?? (job.inline ? "none" : "none: the action stands alone")],
    ["action", job.inline ? "none: the command was typed" : job.action_id],
    ["by", job.retry_of === null ? job.trigger : `${job.trigger} of job ${job.retry_of}`],
    ["attempt", String(job.attempt)],
    ["pid", job.pid === null ? undefined : String(job.pid)],
    ["created", at(job.created_at)],
    ["started", at(job.started_at)],
    ["ended", at(job.ended_at)],
    ["took", took(job, screen.now)],
    ["tags", job.tags.length === 0 ? undefined : job.tags.join(", ")],
    ["log", shorten(job.log_path)],
    ...specFacts(job.spec, screen).map(({ label, value }): [string, string] => [label, value]),
  ];
  const shown = facts.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
  const width = Math.max(...shown.map(({ label }) => displayWidth(label))) + 2;
  const lines = shown.map(({ label, value }) => {
    const room = screen.width === undefined ? undefined : screen.width - width - 2;
    const whole = wrapHard(visible(value), room).replaceAll("\n", `\n${" ".repeat(width + 2)}`);
    const told =
      label === "phase" ? whole.replace(job.phase, paint(PHASE_STYLES[job.phase], job.phase)) : whole;
    return `  ${paint("dim", padEnd(`${label}:`, width))}${told}`;
  });
  return `${[paint("bold", visible(`job ${job.id}: ${jobLabel(job)}`)), ...lines].join("\n")}\n`;
}

function specFacts(spec: JobSpec | null, screen: Screen) {
  if (spec === null) return [];
  const given = screen.given?.([spec.program]);
  return "concurrency" in spec ? actionFacts(spec, given) : interestingFacts(spec, given).facts;
}

const iso = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

const ACTION_COLUMNS: readonly Column[] = [
  { heading: "ACTION", flexible: true },
  { heading: "SCHEDULE", flexible: true },
  { heading: "NEXT RUN" },
  { heading: "DESCRIPTION", flexible: true, drops: 1 },
];

export interface ActionRow {
  readonly spec: ActionSpec;
  /** Unix ms. */
  readonly next: number | null;
}

/** The actions that can be run, with a newline at the end. */
export function actionsView(actions: readonly ActionRow[], screen: Screen): string {
  if (actions.length === 0) return "No actions. Declare some, then run `xy apply`.\n";
  const several = new Set(actions.map(({ spec }) => spec.project)).size > 1;
  const rows = actions.map(({ spec, next }): Cell[] => [
    { text: several ? `${spec.project}/${actionKey(spec)}` : actionKey(spec) },
    { text: spec.schedule?.cron ?? "-" },
    { text: next === null ? "-" : `in ${span(Math.max(0, next - screen.now))}` },
    { text: spec.description },
  ]);
  return table(ACTION_COLUMNS, rows, screen);
}
