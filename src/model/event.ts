import type { Missing } from "./observed.ts";
import type { Action } from "./plan.ts";
import type { StartProgress } from "./start-progress.ts";

/** What happens while a plan is carried out, in order, for a view to render. */
export type ApplyEvent =
  | { readonly type: "started"; readonly server: string; readonly action: Action }
  /** How its start is getting on, which is waited for. */
  | { readonly type: "progress"; readonly server: string; readonly progress: StartProgress }
  | { readonly type: "done"; readonly server: string; readonly action: Action; readonly detail: string }
  | {
      readonly type: "failed";
      readonly server: string;
      readonly action: Action;
      readonly message: string;
      readonly lastLines: readonly string[];
      /** Which settings would help, if the server is as it should be: a clause each. */
      readonly help?: readonly string[];
      /** Somebody else holds a port that it needs. */
      readonly portConflict?: true;
      /** The waiting was ended, not the work: what comes of it is not known. */
      readonly interrupted?: boolean;
    }
  /** Taken over; it starts by itself once what it depends on is as it asks. */
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
