import type { Diagnostic } from "../model/diagnostic.ts";

/** Most problems reported per file: nobody fixes more at a time, and a file could have one for each character. */
const MOST_PROBLEMS = 100;

/** As many as readers have to find, so that {@link firstOfEach} can tell whether there are more. */
export const ENOUGH_PROBLEMS = MOST_PROBLEMS + 1;

/** The first problems of each file, in order, and one more that says where the omitted ones begin. */
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
