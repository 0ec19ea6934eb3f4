import { actionKey } from "../../model/action.ts";
import { isMainJob, isOver, jobLabel } from "../../model/job.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { mayLive } from "../../supervisor/state.ts";
import type { LogSource } from "../logs/log-stream.ts";
import type { Supervised } from "../servers/supervised.ts";
import type { Actions } from "./actions.ts";
import type { JobBook } from "./book.ts";
import type { JobRun } from "./job-run.ts";
import type { JobEntry } from "./journal.ts";

/** The server of that name, for the log of a job that is a server's own program. */
export type FindServer = (name: string, project: string) => Supervised | undefined;

/** What jobs print: in files of their own, or in the log of the server whose program they are. */
export class JobLogs {
  readonly #book: JobBook;
  readonly #actions: Actions;
  readonly #findServer: FindServer;

  constructor(book: JobBook, actions: Actions, findServer: FindServer) {
    this.#book = book;
    this.#actions = actions;
    this.#findServer = findServer;
  }

  /** What is printed by a job, to be followed. */
  of(entry: JobEntry, run: JobRun | undefined): LogSource {
    const name = jobLabel(entry);
    // What it printed is wanted whole, however fast it was.
    const whole = { name, onTransition: nothing, mostBehind: Number.POSITIVE_INFINITY };
    const redactor = this.#redactorOf(entry) ?? run?.newRedactor();
    const common = { ...whole, ...(redactor ? { redactor } : {}) };
    if (run) return { ...common, log: run.log, onEnd: (end) => run.changes.onRemoved(end), isOver: false };
    const log = { dir: this.dir(entry), onOutput: nothing };
    const past: LogSource = { ...common, log, onEnd: nothing, isOver: true };
    if (!isMainJob(entry)) return past;
    const server = this.#findServer(entry.service_id ?? "", entry.project);
    const window = this.#windowOf(entry);
    if (!server || isOver(entry)) return { ...past, ...window };
    // Its last words come when its group is empty.
    const onEnd = (end: () => void) =>
      server.changes.onChange(() => {
        if (server.state.inc !== entry.inc || !mayLive(server.state)) end();
      });
    return { ...common, log: server.log, onEnd, isOver: false, ...window };
  }

  #redactorOf(entry: JobEntry): LogSource["redactor"] {
    const { project, service_id: server, action_id: action, inline } = entry;
    if (inline) return undefined;
    return isMainJob(entry)
      ? this.#findServer(server ?? "", project)?.redactor
      : this.#actions.redactor(project, actionKey({ name: action, server }));
  }

  /** The folder of the log. */
  dir(entry: JobEntry): string {
    return isMainJob(entry) ? this.#book.folders.serverLog(entry) : this.#book.folders.log(entry);
  }

  /** Those lines of the server's log that are of this run: up to the beginning of the next. */
  #windowOf(entry: JobEntry): Pick<LogSource, "since" | "until"> {
    const next = this.#book.nextOf(entry)?.created_at;
    return { since: entry.created_at, ...withoutUndefined({ until: next }) };
  }
}

const nothing = () => () => {};
