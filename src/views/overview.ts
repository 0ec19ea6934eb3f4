import { ago, uptime } from "../model/elapsed.ts";
import { visible } from "../model/visible.ts";
import { painter, type Screen, type Style } from "./screen.ts";
import { padEnd, wrapHard } from "./width.ts";

/** What `xy status` says of a whole project; without one, of everything. */
export interface Overview {
  /** Null: no applied configuration is here, so all projects are counted. */
  readonly project: string | null;
  /** Where the configuration here is. Null: none was found. */
  readonly root: string | null;
  readonly agent:
    | { readonly running: false }
    | {
        readonly running: true;
        readonly pid: number;
        readonly version: string;
        readonly started_at_unix_ms: number;
      };
  readonly backends: readonly { readonly backend: string; readonly servers: number }[];
  readonly counts: Counts;
  readonly failed: readonly {
    readonly project: string;
    readonly name: string;
    readonly state: string;
    readonly reason?: string | undefined;
  }[];
  /** What was applied last. Null: nothing, or nobody can read it. */
  readonly generation: {
    readonly number: number;
    readonly at_unix_ms: number;
    readonly outcome: "begun" | "complete" | "incomplete";
    readonly rollback_of?: number | undefined;
  } | null;
  /** Files of the configuration that changed since; whether that changes servers, only a plan can tell. */
  readonly changed_files: readonly string[];
  readonly clients: readonly { readonly client: string; readonly file: string; readonly entries: number }[];
  /** Projects with servers on record whose folder, or file, is gone. */
  readonly lost_roots: readonly { readonly project: string; readonly root: string }[];
  readonly other_projects: readonly { readonly project: string; readonly servers: number }[];
}

export interface Counts {
  /** Those on record. */
  readonly servers: number;
  /** Of the others nobody could be asked. */
  readonly known: number;
  readonly running: number;
  readonly ready: number;
  readonly failed: number;
  readonly held: number;
  readonly asleep: number;
  readonly waiting: number;
  readonly paused: number;
}

type Row = readonly [label: string, value: string, style?: Style | undefined];

/** With a newline at its end. */
export function overviewView(overview: Overview, screen: Screen): string {
  const { project, root, counts } = overview;
  const paint = painter(screen);
  const place = root === null ? "" : shortened(root, screen);
  if (counts.servers === 0 && overview.generation === null)
    return wrapped(root === null ? NOTHING : `Nothing of ${place} was applied yet. ${NEXT}`, screen);
  const title =
    project === null
      ? "All projects (no applied configuration is here)"
      : `Project ${visible(project)}${root === null ? "" : ` in ${place}`}`;
  const rows = [...rowsOf(overview, screen)];
  const column = Math.max(...rows.map(([label]) => label.length)) + 2;
  const lines = rows.flatMap(([label, value, style]) => {
    const room = screen.width === undefined ? undefined : Math.max(20, screen.width - column - 2);
    const [first = "", ...rest] = wrapHard(visible(value), room).split("\n");
    // A label alone is coloured: what it says may be of several lines, and another's words.
    const head = style === undefined ? padEnd(label, column) : paint(style, padEnd(label, column));
    return [`  ${head}${first}`, ...rest.map((line) => `${" ".repeat(column + 2)}${line}`)];
  });
  return `${[paint("bold", wrapHard(title, screen.width)), ...lines].join("\n")}\n`;
}

const NOTHING =
  "Nothing was applied yet, and no configuration is here. `xy init` writes a first one, `xy import` takes over servers of " +
  "other tools, and `xy apply` starts what is declared.";
const NEXT = "`xy plan` shows what would be started, `xy apply` starts it.";

const wrapped = (text: string, { width }: Screen) => `${wrapHard(text, width)}\n`;

function* rowsOf(overview: Overview, screen: Screen): Generator<Row> {
  const { agent, counts, failed, generation, changed_files: changed, clients } = overview;
  yield agent.running
    ? [
        "agent",
        `running: pid ${agent.pid}, version ${agent.version}, up ${uptime(screen.now - agent.started_at_unix_ms)}`,
      ]
    : ["agent", "not running; `xy agent start` starts it, and the servers"];
  yield ["servers", serversText(counts), serversStyle(counts)];
  const others = overview.backends.filter(({ backend }) => backend !== "agent");
  if (others.length > 0)
    yield ["run by", overview.backends.map(({ backend, servers }) => `${backend}: ${servers}`).join(", ")];
  for (const one of failed.slice(0, MOST_FAILED)) yield failedRow(one, overview.project);
  if (failed.length > MOST_FAILED)
    yield ["", `and ${failed.length - MOST_FAILED} more: \`xy list\` shows all`];
  if (generation) yield ["applied", generationText(generation, screen)];
  if (overview.project !== null) yield changesRow(changed, screen);
  if (clients.length > 0)
    yield ["clients", clients.map(({ client, entries }) => `${client} (${entries})`).join(", ")];
  for (const { project, root } of overview.lost_roots.slice(0, MOST_FAILED))
    yield ["gone", goneText(project, shortened(root, screen)), "yellow"];
  if (overview.other_projects.length > 0)
    yield [
      "others",
      overview.other_projects.map(({ project, servers }) => `${project}: ${servers}`).join(", "),
    ];
}

function serversStyle({ failed, ready, known }: Counts): Style | undefined {
  if (failed > 0) return "red";
  return known > 0 && ready === known ? "green" : undefined;
}

/** Most failures with a line each. */
const MOST_FAILED = 10;

function failedRow({ project, name, state, reason }: Overview["failed"][number], here: string | null): Row {
  const label = project === here ? name : `${project}/${name}`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return [
    state === "running" ? "not ready" : "failed",
    `${label}${why}: \`xy why ${label}\``,
    state === "running" ? "yellow" : "red",
  ];
}

function serversText({ servers, known, running, ready, ...more }: Counts): string {
  if (known === 0 && servers > 0) return `${servers}, and nobody to say how they are`;
  const kinds = (["failed", "held", "asleep", "waiting", "paused"] as const).flatMap((kind) =>
    more[kind] === 0 ? [] : [`${more[kind]} ${kind}`],
  );
  const unknown = servers > known ? [`${servers - known} unknown`] : [];
  return [`${servers}: ${running} running`, `${ready} ready`, ...kinds, ...unknown].join(", ");
}

const goneText = (project: string, root: string) =>
  `${root}, of project ${project}; if it was moved, \`xy plan\` in its new place shows how to go on, else \`xy destroy --project ${project}\``;

const OUTCOMES = { begun: "interrupted", complete: "complete", incomplete: "with failures" } as const;

function generationText(generation: NonNullable<Overview["generation"]>, { now }: Screen): string {
  const { number, at_unix_ms: at, outcome, rollback_of: of } = generation;
  const back = of === undefined ? "" : `, a rollback to ${of}`;
  return `generation ${number}, ${ago(now - at)}, ${OUTCOMES[outcome]}${back}`;
}

function changesRow(changed: readonly string[], screen: Screen): Row {
  const [first, ...more] = changed;
  if (first === undefined) return ["changes", "none in the files since then, as far as their times say"];
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return [
    "changes",
    `${shortened(first, screen)}${others} changed since then; \`xy plan\` shows what that means`,
    "yellow",
  ];
}

function shortened(path: string, { shorten }: Screen): string {
  return visible(shorten === undefined ? path : shorten(path));
}
