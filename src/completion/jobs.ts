import { join } from "node:path";
import { projectDir } from "../system/paths.ts";
import { namedFolders } from "../system/projects.ts";
import type { Budget } from "./budget.ts";
import type { Candidate } from "./table.ts";

/** Journals whose ends are read, and how much of each, bytes. */
const MOST_JOURNALS = 40;
const JOURNAL_END = 32 * 1024;
const MOST_JOBS = 50;

/** What is believed of a job: its number. */
interface JobFacts {
  readonly id: number;
  readonly project?: unknown;
  readonly service_id?: unknown;
  readonly action_id?: unknown;
  readonly phase?: unknown;
}

/** The newest jobs, whatever they belong to: the newest first. */
export function jobsOf(state: string, projects: readonly string[], budget: Budget): JobFacts[] {
  const newest = projects
    .flatMap((project) => journalsOf(join(projectDir(state, project), "jobs")))
    .map((path) => ({ path, at: budget.changedAt(path) }))
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_JOURNALS);
  const all = newest.flatMap(({ path }) => jobsIn(budget.text(path, JOURNAL_END, true) ?? ""));
  return all.sort((a, b) => b.id - a.id).slice(0, MOST_JOBS);
}

function journalsOf(folder: string): string[] {
  const owned = ["servers", "actions"].flatMap((kind) =>
    namedFolders(join(folder, kind)).map((name) => join(folder, kind, name, "journal")),
  );
  return [...owned, join(folder, "inline", "journal")];
}

/** The jobs that a piece of a journal is about, from a line for each thing that became of one. */
function jobsIn(journal: string): JobFacts[] {
  const jobs = new Map<number, JobFacts>();
  // The first line may lack its beginning.
  for (const line of journal.split("\n")) {
    if (!line.startsWith('{"id":')) continue;
    try {
      const { id, deleted, ...facts } = JSON.parse(line) as JobFacts & { deleted?: true };
      if (!Number.isSafeInteger(id)) continue;
      if (deleted) jobs.delete(id);
      else jobs.set(id, { ...jobs.get(id), ...facts, id });
    } catch {
      // It was torn by a power cut, or written by somebody else.
    }
  }
  // Those that were created before that piece begins are nothing but a number.
  return [...jobs.values()].filter(({ action_id }) => typeof action_id === "string");
}

export const isOpen = ({ phase }: JobFacts) => phase === "pending" || phase === "running";

export const asCandidate = (job: JobFacts): Candidate => ({ value: String(job.id), about: aboutJob(job) });

function aboutJob({ project, service_id, action_id, phase }: JobFacts): string {
  const own = action_id === "main" && service_id !== null ? service_id : action_id;
  const label = service_id === null || own === service_id ? own : `${service_id}:${own}`;
  return `${project}/${label} ${phase}`;
}
