import type { Missing } from "./observed.ts";
import type { Action } from "./plan.ts";
import type { StartProgress } from "./start-progress.ts";

/** What happens while a plan is carried out, in order, for a view to render. */
export type ApplyEvent =
  | { readonly type: "started"; readonly server: string; readonly action: Action }
  /** Progress of a start that the apply waits for. */
  | { readonly type: "progress"; readonly server: string; readonly progress: StartProgress }
  | { readonly type: "done"; readonly server: string; readonly action: Action; readonly detail: string }
  | {
      readonly type: "failed";
      readonly server: string;
      readonly action: Action;
      readonly message: string;
      readonly lastLines: readonly string[];
      /** Settings that would help if the server itself is fine: a clause each. */
      readonly help?: readonly string[];
      /** Another process holds a port that it needs. */
      readonly portConflict?: true;
      /** The wait was interrupted, not the work: its result is unknown. */
      readonly interrupted?: boolean;
    }
  /** Recorded; it starts automatically once its dependencies meet its conditions. */
  | {
      readonly type: "waiting";
      readonly server: string;
      readonly action: Action;
      readonly message: string;
      readonly waitsFor: readonly Missing[];
    }
  /** Not tried, because something it depends on failed or the apply was interrupted. */
  | {
      readonly type: "skipped";
      readonly server: string;
      readonly action: Action;
      readonly message: string;
      readonly interrupted?: boolean;
      /** Of a client: some of its entries were written. */
      readonly partly?: true;
    };

/** How a change ended. */
export type FinalEvent = Extract<ApplyEvent, { type: "done" | "failed" | "waiting" | "skipped" }>;

export function isFinal(event: ApplyEvent): event is FinalEvent {
  return event.type !== "started" && event.type !== "progress";
}
