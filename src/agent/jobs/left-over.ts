import { dirname } from "node:path";
import type { ActionSpec } from "../../model/action.ts";
import { type JobSpec, jobLabel } from "../../model/job.ts";
import { bootId, isRunning, signalProcess } from "../../system/processes.ts";
import type { Survivor } from "../../system/survivors.ts";
import { endStrayRun } from "../runs/adopting.ts";
import type { JobBook, LeftOver } from "./book.ts";
import type { JobRun } from "./job-run.ts";
import type { JobEntry } from "./journal.ts";
import { unseenEnd } from "./main-jobs.ts";

/** Where adopted jobs go. */
interface Adopting {
  readonly book: JobBook;
  readonly runs: ReadonlyMap<number, JobRun>;
  readonly busy: Set<JobRun>;
  readonly report: (message: string) => void;
  take(entry: JobEntry, spec: ActionSpec): JobRun;
}

/** Adopts the jobs that an earlier agent left unfinished. */
export async function adoptJobs(adopting: Adopting, survivors: readonly Survivor[]): Promise<void> {
  const { book, runs, report } = adopting;
  for (const left of book.leftOver()) {
    try {
      await adopt(adopting, left);
    } catch (error) {
      report(`cannot adopt job ${left.job.id}: ${String(error)}`);
      runs.get(left.job.id)?.cancel(`cannot be adopted: ${String(error)}`);
    }
  }
  endStrays(adopting, survivors);
  await giveUpOrphans(adopting);
}

/** An earlier agent died between the end of a job and what follows from it for those that come after. */
async function giveUpOrphans({ runs, book }: Adopting): Promise<void> {
  for (const run of [...runs.values()]) {
    for (const id of run.entry.awaits ?? []) {
      const before = runs.has(id) ? undefined : await book.find(id);
      if (runs.has(id) || before?.entry.phase === "succeeded") continue;
      run.giveUp(
        before
          ? whyNot(before.entry)
          : { phase: "failed", error: `job ${id}, which came before it, is gone` },
      );
    }
  }
}

async function adopt(adopting: Adopting, { job, entry, spec }: LeftOver): Promise<void> {
  if (!entry) return endStray(adopting, job);
  adopting.book.adopt(entry);
  if (!isAction(spec)) return lost(adopting, entry, "what it ran cannot be read");
  if (entry.boot !== bootId()) return lost(adopting, entry, unseenEnd(entry));
  const run = adopting.take(entry, spec);
  if (await run.adopt()) adopting.busy.add(run);
}

/** Attempts whose folder is gone with all that was known of them. */
function endStrays({ runs, book, report }: Adopting, survivors: readonly Survivor[]): void {
  const folders = new Set([...runs.values()].map(({ entry }) => book.folders.run(entry)));
  for (const { dir, keeper } of survivors) {
    if (!keeper || folders.has(dirname(dir)) || !isRunning(keeper)) continue;
    signalProcess(-keeper.pid, "SIGKILL");
    report(`killed a job that runs in ${dir}: nothing else is known about it`);
  }
}

/** Nothing else is known about it: what a keeper proves to be ours is killed, since nobody would look after it. */
async function endStray({ book, report }: Adopting, job: LeftOver["job"]): Promise<void> {
  for (const dir of book.folders.attempts(job))
    if (await endStrayRun(dir)) report(`killed job ${job.id}: it was running, and its record cannot be read`);
  book.folders.removeRun(job);
}

function lost({ book }: Adopting, entry: JobEntry, error: string): void {
  book.update(entry.id, { phase: "failed", error, pid: null, process: null, ended_at: Date.now() });
  book.folders.removeRun(entry);
}

/** How what comes after a job ends that did not succeed. */
export function whyNot(ended: JobEntry): { phase: "failed" | "cancelled"; error: string } {
  const cancelled = ended.phase === "cancelled";
  const error = `${jobLabel(ended)} (job ${ended.id}) ${cancelled ? "was cancelled" : "failed"}`;
  return { phase: cancelled ? "cancelled" : "failed", error };
}

export function isAction(spec: JobSpec | null): spec is ActionSpec {
  return spec !== null && "concurrency" in spec;
}
