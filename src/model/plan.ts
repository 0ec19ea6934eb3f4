import type { ActionSpec } from "./action.ts";
import type { ClientChange, DesiredClient } from "./client-plan.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { FieldChange } from "./field-change.ts";
import type { FormerName } from "./former.ts";
import type { Observed } from "./observed.ts";
import type { ServerSpec } from "./spec.ts";
import type { CHANGE_ACTIONS } from "./spec-parts.ts";

/** What the configuration asks for on this machine, secrets as references with their keyed hashes. */
export interface Desired {
  readonly project: string;
  /** Folder of the configuration, by the name that the project is bound to. */
  readonly root: string;
  /** By which other names records may have what is in it. */
  readonly former?: readonly FormerName[];
  readonly servers: readonly ServerSpec[];
  /** Those of servers and those that stand alone. */
  readonly actions: readonly ActionSpec[];
  /** Those that are declared. Absent: none. */
  readonly clients?: readonly DesiredClient[];
  /** Servers that are declared for other machines alone, and why: `host work; this is work-2`. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Everything is to go, also what no configuration has declared. */
  readonly leavesNothing?: true;
}

/**
 * What happens to the process of one server. Every action but `remove` and `none` takes over the desired spec first,
 * whether or not it differs from the recorded one; the action says only what follows:
 * `update`: nothing, what runs keeps running and what rests keeps resting. `restart`: the live process is ended and
 * a new one started. `start`: there is no process, one is started. `stop`: the process, or the wait for its next
 * start, is ended. `add`: recorded for the first time, and started when it is wanted. `none`: it matches.
 */
export type Action = (typeof CHANGE_ACTIONS)[number] | "none";

export type Reason =
  | { readonly kind: "field-changed"; readonly fields: readonly string[] }
  | { readonly kind: "not-recorded" }
  /** `elsewhere`: it is declared for other machines, and which: `host work; this is work-2`. */
  | { readonly kind: "not-declared"; readonly elsewhere?: string }
  /** It changes hands: removed from one backend, added to the other, as two changes of one plan. */
  | { readonly kind: "moved"; readonly from: ServerSpec["backend"]; readonly to: ServerSpec["backend"] }
  /** The record of what was last applied cannot be read. */
  | { readonly kind: "unreadable" }
  /** Ended against its policy, or the retry window closed. */
  | { readonly kind: "failed"; readonly detail: string; readonly at: number }
  /** Should run and does not, without an end that explains it. */
  | { readonly kind: "absent"; readonly detail?: string }
  /** `wanted` says stop and it runs. */
  | { readonly kind: "unwanted" }
  /** The live process was started with an earlier spec (an interrupted apply). */
  | { readonly kind: "outdated-process" }
  | { readonly kind: "drift"; readonly detail: string }
  /** Its unit would be written in another way, or an apply of it was cut off. */
  | { readonly kind: "unsettled"; readonly how: NonNullable<Observed["unsettled"]> }
  /** A person had added it without a configuration, and one declares it now. */
  | { readonly kind: "kept" };

/** The file of a server's unit, as it is and as it would be. Secrets are not in it. */
export interface UnitChange {
  /** Absolute path. */
  readonly file: string;
  /** Absent: there is none. */
  readonly from?: string;
  readonly to: string;
  /** It is a link to there: an apply leaves a file in its place. */
  readonly link?: string;
  /** Why it must not be written: what is there is not xy's. */
  readonly obstacle?: string;
}

/** A backend that does not answer: its servers are left out of the plan, and are as they were. */
export interface Unreachable {
  readonly backend: ServerSpec["backend"];
  /** Why, and what to do. */
  readonly message: string;
  /** Names of servers that are declared for it, or recorded with it. */
  readonly servers: readonly string[];
}

/** The difference for one server. */
export interface Change {
  readonly server: string;
  readonly action: Action;
  readonly reasons: readonly Reason[];
  readonly fields: readonly FieldChange[];
  /** Present unless the action is `remove`. */
  readonly desired?: ServerSpec;
  /** What was there; absent for a server nobody has recorded. */
  readonly observed?: Observed;
  /** The operator said stop: whatever the action, nothing is started. */
  readonly held: boolean;
  /** Of a server that runs as a unit of a service manager: the file, when it would be another. */
  readonly unit?: UnitChange;
  /** Of one that matches: the same by today's names of its places. An apply has records say them; nobody need know. */
  readonly renamed?: ServerSpec;
  /** What is added is declared by no configuration, see {@link Observed.kept}. */
  readonly kept?: true;
  /** Carrying it out ends a running process, and the sessions of its clients with it. */
  readonly breaksSessions: boolean;
}

/** The difference for one action. Nothing runs because of it. */
export interface ActionChange {
  /** See `actionKey`. */
  readonly key: string;
  readonly change: Extract<Action, "add" | "update" | "remove" | "none">;
  readonly fields: readonly FieldChange[];
  /** Present unless it is removed. */
  readonly desired?: ActionSpec;
  /** What is known to the agent; present unless it is added. */
  readonly recorded?: ActionSpec;
  /** As of a {@link Change}. */
  readonly renamed?: ActionSpec;
}

/** The difference between the configuration and what runs, as a value: printed, compared, carried out. */
export interface Plan {
  readonly version: 1;
  readonly project: string;
  readonly root: string;
  /** In name order; also those with action `none`. One a server, or two (removed, added) when it changes its backend. */
  readonly changes: readonly Change[];
  /** In the order of their keys; also those that match. */
  readonly actions: readonly ActionChange[];
  /** Also those that match. Present when there are some. */
  readonly clients?: readonly ClientChange[];
  /** Servers that no configuration has declared: nothing is done about them. Present when there are some. */
  readonly kept?: readonly Observed[];
  /** Preflight problems. Any error among them stops an apply. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names left out by --only or --except. */
  readonly skipped: readonly string[];
  /** Present when there are some. */
  readonly unreachable?: readonly Unreachable[];
  /** What runs was brought back from an earlier generation, `of`. */
  readonly rolledBack?: { readonly generation: number; readonly of: number };
}
