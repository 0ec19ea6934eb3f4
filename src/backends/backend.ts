import type { ActionSecrets, ActionSpec } from "../model/action.ts";
import type { BackendKind } from "../model/backends.ts";
import type { Condition } from "../model/dependency.ts";
import type { Missing, Observed } from "../model/observed.ts";
import type { Change, UnitChange } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import type { StartProgress } from "../model/start-report.ts";

/** What a backend cannot do as it is declared. */
export interface Remark {
  /** `error`: it refuses the server. `warning`: something is lost. */
  readonly severity: "error" | "warning";
  /** Where a configuration says it, when it says it. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What runs servers. The same contract suite runs over every implementation. */
export interface Backend {
  readonly kind: BackendKind;
  /** A server whose dependencies are not as it asks waits for them under it, and starts by itself. */
  readonly waits: boolean;
  /** What this backend cannot express of a spec, or of the values of its secrets. Pure. Never a silently dropped field. */
  check(spec: ServerSpec, secrets?: SecretValues): readonly Remark[];
  /** Throws a `BackendUnreachable` when whoever runs these does not answer, so that it shows before the first change. */
  reach(specs: readonly ServerSpec[]): Promise<void>;
  /**
   * Every server that this backend has a record of for the project, as it is now. Starts nothing when there is none.
   * Throws a `BackendUnreachable` when there is one and it does not answer.
   */
  observe(project: string): Promise<readonly Observed[]>;
  /** What is to be known by whoever adds such a server. */
  hint?(spec: ServerSpec): string | undefined;
  /** The file of the server's unit, when carrying out the change would make it another. Only of backends with units. */
  unitChange?(change: Change): Promise<UnitChange | undefined>;
  /**
   * Carries out one change. When it starts something (and `waitMs` is not 0) it settles when the server is what
   * `until` says, has failed or ended, or the time is over. A server whose dependencies are not as it asks is taken
   * over, and waits for them: it settles when nothing brings them about, or the time is over. One that runs is left as
   * it is then. Aborting ends the waiting, never a server.
   */
  perform(change: Change, options: PerformOptions): Promise<PerformResult>;
  /** Has the record of a server say its places by today's names; nothing else is another. Where nobody else reads them. */
  rename?(spec: ServerSpec): Promise<void>;
  /** What runs actions, of all servers of a project, and on a schedule: the agent alone. */
  readonly actions?: ActionHolder;
  close(): Promise<void>;
}

interface ActionHolder {
  /** Every action that is known of the project. Throws as {@link Backend.observe} does. */
  recorded(project: string): Promise<readonly ActionSpec[]>;
  /** Ends and deletes the jobs of the project that no action has. */
  forgetTyped?(project: string): Promise<void>;
  /** Takes over what changes, all of it or, with an error, nothing. */
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
   * Longest wait for `until` in ms; 0: do not wait; undefined: while the start makes progress, until the server's
   * start-timeout.
   */
  readonly waitMs: number | undefined;
  /** Told how a start is getting on that is waited for. */
  readonly progress?: (progress: StartProgress) => void;
  /**
   * `started`: its program runs. `ready` (default): it is ready, or ended with success. `completed`: it ended with
   * success.
   */
  readonly until?: Condition;
  /**
   * When it does not come to that in that time: put a changed server back to what it was, leave a new one stopped.
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
      /** Nothing is waited for, and the server waits for these. */
      readonly waitsFor?: readonly Missing[];
    }
  | {
      readonly ok: false;
      readonly message: string;
      /** Of the last run that failed, or else of the newest one. */
      readonly lastLines: readonly string[];
      /** Which settings would help, if the server is as it should be: a clause each. */
      readonly help?: readonly string[];
      /** Somebody else holds a port that it needs. */
      readonly portConflict?: true;
      /** It waits for these; what was to be restarted is left as it is because of them. */
      readonly waitsFor?: readonly Missing[];
      /** The waiting was ended, not the work: what comes of it is not known. */
      readonly interrupted?: boolean;
    };
