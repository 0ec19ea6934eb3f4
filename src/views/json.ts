import type { Observed } from "../model/observed.ts";
import type { Change, Plan } from "../model/plan.ts";
import { type PlanSummary, summary } from "../model/summary.ts";
import { withTimeNames } from "../model/time-names.ts";
import { withoutUndefined } from "../model/without-undefined.ts";

/** What `xy plan --json` prints. Fields may be added within a version, never renamed or removed. */
export interface PlanDocument {
  readonly version: 1;
  readonly project: string;
  readonly root: string;
  readonly summary: PlanSummary;
  readonly changes: readonly ChangeDocument[];
  /** Those that match too, as `changes`. */
  readonly actions: Plan["actions"];
  /** Files of editors and assistants, those that match too; what they are to say of each server. */
  readonly clients?: Plan["clients"];
  readonly diagnostics: Plan["diagnostics"];
  readonly skipped: readonly string[];
  /** Servers that no configuration has declared. */
  readonly kept?: readonly Pick<ChangeDocument, "server" | "observed">[];
  /** Backends that do not answer, and their servers, which are not in `changes`. */
  readonly unreachable?: Plan["unreachable"];
  /** An earlier generation, `of`, was brought back, as `generation`. */
  readonly rolledBack?: { readonly generation: number; readonly of: number };
}

interface ChangeDocument
  extends Pick<
    Change,
    "server" | "action" | "reasons" | "fields" | "desired" | "held" | "breaksSessions" | "unit"
  > {
  /** How the server was found; absent when nobody had recorded it. */
  readonly observed?: Found;
}

/** With times by the names that say their unit, and until 1.0 by the old ones too: `startedAt`, and in `paused` `at` and `until`. */
type Found = ReturnType<
  typeof withTimeNames<
    Pick<
      Observed,
      | "backend"
      | "state"
      | "operator"
      | "drift"
      | "pid"
      | "startedAt"
      | "restartCount"
      | "lastExit"
      | "paused"
      | "unwatched"
      | "reason"
      | "since"
      | "waitsFor"
    >
  >
>;

/**
 * The document of a plan. Everything is picked by name: secrets are in it as references with their keyed hashes, and
 * output of servers, which may hold anything, is not in it at all.
 */
export function planDocument(plan: Plan): PlanDocument {
  return {
    version: plan.version,
    project: plan.project,
    root: plan.root,
    summary: summary(plan),
    changes: plan.changes.map(changeDocument),
    actions: plan.actions.map(({ renamed: _, ...action }) => action),
    ...(plan.clients ? { clients: plan.clients } : {}),
    diagnostics: plan.diagnostics,
    skipped: plan.skipped,
    ...(plan.kept
      ? { kept: plan.kept.map((observed) => ({ server: observed.name, observed: found(observed) })) }
      : {}),
    ...(plan.unreachable ? { unreachable: plan.unreachable } : {}),
    ...(plan.rolledBack ? { rolledBack: plan.rolledBack } : {}),
  };
}

function changeDocument(change: Change): ChangeDocument {
  const { server, action, reasons, fields, desired, observed, held, breaksSessions, unit } = change;
  return {
    server,
    action,
    reasons,
    fields,
    ...withoutUndefined({ desired }),
    ...(observed === undefined ? {} : { observed: found(observed) }),
    held,
    breaksSessions,
    ...withoutUndefined({ unit }),
  };
}

const FOUND = [
  "backend",
  "state",
  "operator",
  "drift",
  "pid",
  "startedAt",
  "restartCount",
  "lastExit",
  "paused",
  "unwatched",
  "reason",
  "since",
  "waitsFor",
] as const satisfies readonly (keyof Observed)[];

function found(observed: Observed): Found {
  const picked = FOUND.filter((key) => observed[key] !== undefined).map((key) => [key, observed[key]]);
  return withTimeNames(Object.fromEntries(picked) as Parameters<typeof withTimeNames>[0]) as Found;
}
