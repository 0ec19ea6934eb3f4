/** What `xy doctor` has found, and what it says about it. */

/** `error`: something does not work, or would not when it is needed. `warning`: it works, and should be looked at. */
export type Severity = "error" | "warning" | "note";

export interface Finding {
  /** The check and the finding, such as `agent.old`. Stays the same from version to version. */
  readonly id: string;
  readonly severity: Severity;
  /** What is found: a clause that begins with a small letter. */
  readonly what: string;
  /** What comes of it: one sentence or two. */
  readonly why: string;
  /** The one command line that mends it. Null: `why` says what to do. */
  readonly mend: string | null;
}

/** One check, after it was made. */
export interface Diagnosis {
  readonly check: string;
  readonly title: string;
  /** What was looked at, in one line. */
  readonly summary: string;
  /** It could not be made. */
  readonly skipped?: true;
  readonly findings: readonly Finding[];
}

/** Whether something does not work. */
export const isIll = (diagnoses: readonly Diagnosis[]): boolean =>
  diagnoses.some(({ findings }) => findings.some(({ severity }) => severity === "error"));
