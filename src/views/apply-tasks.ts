import type { ListrTask } from "listr2";
import { clientLabel } from "../model/client-plan.ts";
import { type ApplyEvent, type FinalEvent, isFinal } from "../model/event.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { StartProgress } from "../model/start-progress.ts";
import { actionLabel } from "../model/summary.ts";
import { visible } from "../model/visible.ts";
import { renderApplyLines } from "./apply.ts";
import { type ApplyScreen, applySummary, eventText, progressLines } from "./apply-text.ts";
import { cut, wrapLines } from "./width.ts";

/** Rows of a terminal that a task list leaves free, for its summary and what was there before. */
const SPARE_ROWS = 4;
/** Where a terminal does not say, or says 0. */
const USUAL_ROWS = 24;
const USUAL_COLUMNS = 80;
/** Columns that the list puts before a title, and before what is below that. */
const TITLE_INDENT = 5;
const OUTPUT_INDENT = 7;

/**
 * Follows an apply to its end as a live list with one task a change, then writes the summary. A plan that does not fit
 * on the terminal is followed line by line instead. Answers with how each change ended.
 */
export async function renderApplyTasks(
  plan: Plan,
  events: AsyncIterable<ApplyEvent>,
  terminal: NodeJS.WriteStream,
  screen: ApplyScreen,
): Promise<readonly FinalEvent[]> {
  const write = (text: string) => void terminal.write(`${text}\n`);
  const changes = tasksOf(plan);
  if (changes.length > (terminal.rows || USUAL_ROWS) - SPARE_ROWS)
    return renderApplyLines(events, write, screen);
  const isRoomy = changes.length * 2 <= (terminal.rows || USUAL_ROWS) - SPARE_ROWS;
  const space = { columns: terminal.columns || USUAL_COLUMNS, isRoomy };
  const rows = changes.map((change) => new Row(change, space));
  // Both to their end, whatever happens: the list gives the terminal back only when it is over.
  const [fed, shown] = await Promise.allSettled([feed(rows, events), showRows(rows, terminal)]);
  if (fed.status === "rejected") throw fed.reason;
  if (shown.status === "rejected") throw shown.reason;
  write(wrapLines(applySummary(fed.value, screen), terminal.columns || USUAL_COLUMNS));
  return fed.value;
}

type Shown = Pick<Change, "server" | "action"> & {
  /** What has to be over before it begins. */
  readonly after: readonly string[];
};

/** What is done, by the names that its events have. */
function tasksOf({ changes, actions, clients = [] }: Plan): Shown[] {
  const active = changes.filter(({ action }) => action !== "none");
  const servers = active.map((change) => ({ ...change, after: neededBy(change, active) }));
  const names = [...new Set(active.map(({ server }) => server))];
  const ofActions = actions.flatMap(({ key, change }) =>
    change === "none" ? [] : [{ server: actionLabel(key), action: change, after: names }],
  );
  const ofClients = clients.flatMap(({ client, change, entries }) => {
    if (change === "none") return [];
    const after = names.filter((name) => entries.some(({ server }) => server === name));
    return [{ server: clientLabel(client), action: change, after }];
  });
  return [...servers, ...ofClients, ...ofActions];
}

/** What it depends on comes up before it, and what depends on it ends before it. */
function neededBy({ server, action, desired }: Change, active: readonly Change[]): string[] {
  const isOver = action === "remove" || action === "stop";
  const needs = active.filter((other) =>
    isOver
      ? other.server !== server && other.observed?.spec?.dependsOn.some((needed) => needed.server === server)
      : desired?.dependsOn.some((needed) => needed.server === other.server),
  );
  return needs.map((needed) => needed.server);
}

async function showRows(rows: readonly Row[], terminal: NodeJS.WriteStream): Promise<void> {
  if (rows.length === 0) return;
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import("listr2");
  // The caller has decided that this is a terminal; listr2 would look at process.stdout and fall back.
  class TerminalRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(terminal) });
  const list = new Listr(
    rows.map((row) => row.task()),
    {
      concurrent: true,
      exitOnError: false,
      // Interruption is the command's to handle: listr2 would end the process.
      registerSignalListeners: false,
      renderer: TerminalRenderer,
      rendererOptions: { logger },
    },
  );
  await list.run();
}

/** Hands each event to its row. Should the source break, the open rows end with that, and the error goes on. */
async function feed(rows: readonly Row[], events: AsyncIterable<ApplyEvent>): Promise<readonly FinalEvent[]> {
  const finals: FinalEvent[] = [];
  try {
    for await (const event of events) {
      if (isFinal(event)) finals.push(event);
      rows.find((row) => row.takes(event))?.take(event);
    }
  } finally {
    for (const row of rows) row.giveUp();
  }
  return finals;
}

interface Space {
  readonly columns: number;
  /** Each task may have a second line. */
  readonly isRoomy: boolean;
}

function waitingText({ server, after }: Shown, { columns }: Space): string {
  const what = after.length === 0 ? "waiting" : `waiting for ${after.join(", ")}`;
  return cut(`${visible(server)}: ${visible(what)}`, columns - TITLE_INDENT);
}

/** One change of the plan as a task that follows its events. */
class Row {
  readonly #change: Shown;
  readonly #space: Space;
  readonly #end: Promise<FinalEvent | undefined>;
  #finish: (end: FinalEvent | undefined) => void = () => {};
  #task: { title: string; output: string };
  #running = false;

  constructor(change: Shown, space: Space) {
    this.#change = change;
    this.#space = space;
    this.#task = { title: waitingText(change, space), output: "" };
    this.#end = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Whether the event is about this change. Only a server that moves has two, with different actions. */
  takes(event: ApplyEvent): boolean {
    if (event.server !== this.#change.server) return false;
    return event.type === "progress" ? this.#running : event.action === this.#change.action;
  }

  take(event: ApplyEvent): void {
    this.#running = !isFinal(event);
    if (isFinal(event)) this.#finish(event);
    else if (event.type === "progress") this.#show(event.progress);
    else this.#task.title = eventText(event);
  }

  /** In place: what does not fit on its line is cut, and left out where there is no room for a second one. */
  #show(progress: StartProgress): void {
    const { columns, isRoomy } = this.#space;
    const { server, action } = this.#change;
    const { wait, more } = progressLines(progress);
    this.#task.title = cut(
      `${eventText({ type: "started", server, action })}, ${wait}`,
      columns - TITLE_INDENT,
    );
    this.#task.output = isRoomy ? cut(more, columns - OUTPUT_INDENT) : "";
  }

  giveUp(): void {
    this.#finish(undefined);
  }

  task(): ListrTask {
    return {
      title: this.#task.title,
      task: async (_, shown) => {
        shown.title = this.#task.title;
        this.#task = shown;
        const end = await this.#end;
        if (end?.type === "skipped" || end?.type === "waiting") shown.skip(eventText(end));
        else if (end?.type === "done") shown.title = eventText(end);
        else
          throw new Error(
            end === undefined ? `${visible(this.#change.server)}: not known to have ended` : eventText(end),
          );
      },
    };
  }
}
