import type { Diagnostic } from "../model/diagnostic.ts";

/** Problems of one file that are told: nobody mends more at a time, and a file could have one for each character. */
const MOST_PROBLEMS = 100;

/** As many as readers have to find, so that {@link firstOfEach} sees whether there are more. */
export const ENOUGH_PROBLEMS = MOST_PROBLEMS + 1;

/** The first problems of each file, in their order, and one that says where those begin which are left out. */
export function firstOfEach(problems: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string | undefined, number>();
  return problems.flatMap((problem) => {
    const before = seen.get(problem.file) ?? 0;
    seen.set(problem.file, before + 1);
    if (before < MOST_PROBLEMS) return [problem];
    const message = `cannot list all problems in this file: more follow from here on; fix the first ${MOST_PROBLEMS}`;
    return before === MOST_PROBLEMS ? [{ ...problem, message }] : [];
  });
}
