import type { Diagnosis } from "../model/finding.ts";
import type { AnyCheck, Around } from "./check.ts";

/** Longest time for one check, ms. What it asks of others has shorter bounds; this one is for a file system that hangs. */
const BOUND = 8000;
/** When a person is told what is waited for, ms. */
const PATIENCE = 1000;

/** Makes all checks at once. `waiting` is called, at most once, with the titles of those that take long. */
export async function examine(
  checks: readonly AnyCheck[],
  around: Around,
  waiting: (titles: readonly string[]) => void,
): Promise<Diagnosis[]> {
  const open = new Set(checks.map(({ title }) => title));
  const timer = setTimeout(() => waiting([...open]), PATIENCE);
  try {
    return await Promise.all(
      checks.map((check) => diagnosisOf(check, around).finally(() => open.delete(check.title))),
    );
  } finally {
    clearTimeout(timer);
  }
}

async function diagnosisOf(check: AnyCheck, around: Around): Promise<Diagnosis> {
  const { id, title } = check;
  const at = { check: id, title };
  if (check.needsState && around.state === undefined)
    return { ...at, summary: "not checked: the state folder cannot be used", skipped: true, findings: [] };
  try {
    return { ...at, ...(await inTime(() => check.made(around))) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const what = "cannot look at this";
    const finding = { id: `${id}.unseen`, severity: "warning", what, why: `${why}.`, mend: null } as const;
    return { ...at, summary: "not checked", skipped: true, findings: [finding] };
  }
}

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${BOUND / 1000} s`)), BOUND);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
