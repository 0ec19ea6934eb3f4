import type { ActionSecrets, ActionSpec } from "../model/action.ts";
import type { BackendKind } from "../model/backends.ts";
import type { Condition } from "../model/dependency.ts";
import type { Missing, Observed } from "../model/observed.ts";
import type { Change, UnitChange } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import type { StartProgress } from "../model/start-progress.ts";

/** Something that a backend cannot do as declared. */
export interface Remark {
  /** `error`: the backend refuses the server. `warning`: it runs it, but something is lost. */
  readonly severity: "error" | "warning";
  /** The setting it is about; empty if it is about none. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Something that runs servers. Every implementation passes the same contract suite. */
export interface Backend {
  readonly kind: BackendKind;
  /** Whether a server waits for its dependencies under this backend, and then starts by itself. */
  readonly waits: boolean;
  /** What this backend cannot express of a spec, or of its secrets' values. Pure. No field is ever dropped silently. */
  check(spec: ServerSpec, secrets?: SecretValues): readonly Remark[];
  /** Throws a `BackendUnreachable` if whatever runs these does not answer, so that this shows before the first change. */
  reach(specs: readonly ServerSpec[]): Promise<void>;
  /**
   * All servers of the project that this backend has on record, as they are now. Starts nothing if there are none.
   * Throws a `BackendUnreachable` if there are some and the backend does not answer.
   */
  observe(project: string): Promise<readonly Observed[]>;
  /** What someone who adds such a server should know. */
  hint?(spec: ServerSpec): string | undefined;
  /** How the change would alter the server's unit file; undefined if it would not. Only backends with units have this. */
  unitChange?(change: Change): Promise<UnitChange | undefined>;
  /**
   * Carries out one change. If it starts something (and `waitMs` is not 0), it settles once the server is what `until`
   * says, has failed or exited, or the time is up. A server whose dependencies do not meet its conditions is recorded,
   * and waits for them: then it settles once nothing can bring that about, or the time is up; if it runs, it is left as it
   * is. Aborting ends the wait, never a server.
   */
  perform(change: Change, options: PerformOptions): Promise<PerformResult>;
  /** Updates a server's record to the current names of its paths, and nothing else. Only if nobody else reads them. */
  rename?(spec: ServerSpec): Promise<void>;
  /** What runs the actions of a project, on request and on a schedule: only the agent. */
  readonly actions?: ActionHolder;
  close(): Promise<void>;
}

interface ActionHolder {
  /** All known actions of the project. Throws as {@link Backend.observe} does. */
  recorded(project: string): Promise<readonly ActionSpec[]>;
  /** Ends and deletes the project's jobs that belong to no action. */
  forgetTyped?(project: string): Promise<void>;
  /** Applies the change: all of it, or nothing and an error. */
  take(project: string, change: ActionsChange): Promise<void>;
}

export interface ActionsChange {
  readonly set: readonly ActionSpec[];
  readonly secrets: ActionSecrets;
  /** See `actionKey`. */
  readonly remove: readonly string[];
}

export interface PerformOptions {
  /** Values of the secret references in the desired spec. */
  readonly secrets: SecretValues;
  /**
   * Longest wait for `until` in ms; 0: do not wait; undefined: as long as the start makes progress, up to the server's
   * start-timeout.
   */
  readonly waitMs: number | undefined;
  /** Called with the progress of a start while it is waited for. */
  readonly progress?: (progress: StartProgress) => void;
  /**
   * `started`: its program runs. `ready` (default): it is ready, or exited successfully. `completed`: it exited
   * successfully.
   */
  readonly until?: Condition;
  /**
   * If it does not get there in time: restore the previous version of a changed server, leave a new one stopped.
   * Default true.
   */
  readonly rollback?: boolean;
  readonly signal: AbortSignal;
}

export type PerformResult =
  /** `detail`: one clause, e.g. `ready: 127.0.0.1:8421 is listening (pid 812)`. */
  | {
      readonly ok: true;
      readonly detail: string;
      /** The server waits for these, and the call did not wait with it. */
      readonly waitsFor?: readonly Missing[];
    }
  | {
      readonly ok: false;
      readonly message: string;
      /** Output of the last run that failed, else of the newest one. */
      readonly lastLines: readonly string[];
      /** Settings that would help if the server itself is fine: a clause each. */
      readonly help?: readonly string[];
      /** Another process holds a port that it needs. */
      readonly portConflict?: true;
      /** It waits for these; a server that was to be restarted is left as it is until then. */
      readonly waitsFor?: readonly Missing[];
      /** The wait was interrupted, not the work: its result is unknown. */
      readonly interrupted?: boolean;
    };
