import type { ApplyEvent, FinalEvent } from "../../model/event.ts";
import type { Plan } from "../../model/plan.ts";
import type { FleetOptions, ProjectFleet } from "../fleet.ts";
import { done, type Outcome, stopped } from "../outcome.ts";

/** What an apply needs from whoever asks for it, and what it answers with. */

/** Answer to a question. A sentence says why nobody could be asked, and what to do instead. */
export type Answer = "yes" | "no" | { readonly cannotAsk: string };

export type Verb = "Apply" | "Destroy" | "Rollback";

/** The interface that an apply runs for: a command line, a program with windows, a script. */
export interface ApplyFront {
  /** Once aborted, nothing new begins. */
  readonly signal: AbortSignal;
  showPlan(plan: Plan): void | Promise<void>;
  ask(question: string): Promise<Answer>;
  /** From here on things change: the plan was agreed to. */
  begins?(): void;
  /** Shows the events of an apply until they end. If it stops reading, nothing new begins. */
  showProgress(plan: Plan, events: AsyncIterable<ApplyEvent>, verb: Verb): Promise<unknown>;
  /** A server that no configuration declares has moved to another project. */
  showMoved(server: string, project: string): void;
  /** A remark in one sentence. */
  note(text: string): void;
}

/** What the recipes work on. */
export interface ApplyWorld {
  /** State folder. */
  readonly state: string;
  readonly openFleet: (project: string, options?: FleetOptions) => ProjectFleet;
}

/** Settings that every way to apply has. */
export interface ApplyOptions {
  /** Longest wait for each start in ms; 0: do not wait; undefined: while the start makes progress. */
  readonly waitMs: number | undefined;
  /** Put a changed server that does not become ready back to what it was. */
  readonly rollback: boolean;
}

/** What was carried out. */
export interface Applied {
  readonly plan: Plan;
  /** How each change ended; empty if there was nothing to do. */
  readonly finals: readonly FinalEvent[];
}

/** Asks one question after the other; all of them need a yes. */
export async function agreed(front: ApplyFront, questions: readonly string[]): Promise<Outcome<undefined>> {
  for (const question of questions) {
    const answer = await front.ask(question);
    if (answer === "yes") continue;
    return stopped(
      "refused",
      answer === "no" ? "nothing was applied" : `nothing was applied: ${answer.cannotAsk}`,
    );
  }
  return done(undefined);
}

/** Shows the plan, and stops if it has errors. */
export async function shown(front: ApplyFront, plan: Plan): Promise<Outcome<undefined>> {
  await front.showPlan(plan);
  const errors = plan.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return stopped("failed", "nothing was applied: the plan has problems", errors);
  return done(undefined);
}
