import * as fs from "node:fs";
import { join } from "node:path";
import { Cron } from "croner";
import { z } from "zod";
import { type ActionSpec, actionKey } from "../../model/action.ts";
import type { Job } from "../../model/job.ts";
import { own } from "../../model/own.ts";
import { dueRun } from "../../supervisor/schedule.ts";
import { readRecord, writeAtomic } from "../../system/files.ts";
import { projectDir } from "../../system/paths.ts";

/** Longest time between two looks at the clock, ms: it may be set, and the computer may sleep, which no timer reports. */
const LONGEST_LOOK = 30_000;
/** And at least. */
const SHORTEST_LOOK = 10;

const scheduleFile = z.record(
  z.string(),
  z.object({ cron: z.string(), timeZone: z.string(), last: z.number() }),
);
type Kept = z.infer<typeof scheduleFile>;

interface Entry {
  readonly spec: ActionSpec;
  readonly cron: Cron;
  last: number;
}

export interface SchedulerOptions {
  readonly state: string;
  readonly report: (message: string) => void;
  readonly run: (spec: ActionSpec, trigger: Job["trigger"]) => void;
  /** When the newest job of the action that its schedule began was created, unix ms. */
  readonly newest: (spec: ActionSpec) => number | undefined;
}

/** Runs actions on schedule. Up to when each schedule was checked is recorded, so that the next agent continues there. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  /** By project, then by key of the action. */
  readonly #projects = new Map<string, Map<string, Entry>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Takes over all the actions of a project. What is new or otherwise begins now. */
  set(project: string, actions: readonly ActionSpec[]): void {
    const kept = this.#read(project);
    const now = Date.now();
    const entries = actions.flatMap((spec): [string, Entry][] => {
      const { schedule } = spec;
      if (schedule === null) return [];
      const key = actionKey(spec);
      const before = own(kept, key);
      const isSame = before?.cron === schedule.cron && before.timeZone === schedule.timeZone;
      // A run that was begun just before the death of an agent is not written down here.
      const last = isSame ? Math.max(before.last, this.#options.newest(spec) ?? 0) : now;
      try {
        return [[key, { spec, cron: cronOf(schedule), last }]];
      } catch (error) {
        this.#options.report(`${project}/${key}: its schedule cannot be read: ${String(error)}`);
        return [];
      }
    });
    this.#projects.set(project, new Map(entries));
    if (entries.length > 0) this.#write(project);
    else fs.rmSync(this.#path(project), { force: true, recursive: true });
    this.#look();
  }

  /** Unix ms. */
  nextRun(spec: ActionSpec): number | null {
    const entry = this.#projects.get(spec.project)?.get(actionKey(spec));
    return entry ? nextOf(entry, Date.now()) : null;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const now = Date.now();
    let wait = LONGEST_LOOK;
    for (const [project, entries] of this.#projects) {
      const due = [...entries.values()].flatMap((entry) => this.#dueOf(entry, now));
      if (due.length > 0) this.#write(project);
      for (const entry of entries.values())
        wait = Math.min(wait, (nextOf(entry, entry.last) ?? now + wait) - now);
    }
    if (![...this.#projects.values()].some((entries) => entries.size > 0)) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(SHORTEST_LOOK, wait));
  }

  #dueOf(entry: Entry, now: number): Entry[] {
    const { spec } = entry;
    const missed = spec.schedule?.missed ?? "skip";
    const due = dueRun({ last: entry.last, missed, next: (after) => nextOf(entry, after) }, now);
    if (due.last === entry.last) return [];
    entry.last = due.last;
    try {
      if (due.run !== null) this.#options.run(spec, due.run === "missed" ? "missed" : "schedule");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.report(`${spec.project}/${actionKey(spec)}: not run by its schedule: ${why}`);
    }
    return [entry];
  }

  #path(project: string): string {
    return join(projectDir(this.#options.state, project), "schedule.json");
  }

  #read(project: string): Kept {
    const path = this.#path(project);
    const found = readRecord(path, scheduleFile.parse, (aside) =>
      this.#options.report(`${aside}: when its actions ran last cannot be read`),
    );
    return found ?? {};
  }

  #write(project: string): void {
    const entries = this.#projects.get(project) ?? new Map<string, Entry>();
    const kept = [...entries].flatMap(
      ([
        key,
        {
          spec: { schedule },
          last,
        },
      ]) => (schedule ? [[key, { cron: schedule.cron, timeZone: schedule.timeZone, last }] as const] : []),
    );
    try {
      writeAtomic(this.#path(project), JSON.stringify(Object.fromEntries(kept)));
    } catch (error) {
      this.#options.report(`cannot record when the actions of ${project} ran: ${String(error)}`);
    }
  }
}

/** Throws if the schedule cannot be followed. */
export function cronOf({ cron, timeZone }: NonNullable<ActionSpec["schedule"]>): Cron {
  const read = new Cron(cron, { paused: true, timezone: timeZone });
  read.nextRun();
  return read;
}

function nextOf({ cron }: Pick<Entry, "cron">, after: number): number | null {
  return cron.nextRun(new Date(after))?.getTime() ?? null;
}
