import { startFields, startHash } from "../model/canonical.ts";
import type { FieldChange } from "../model/field-change.ts";
import { topField } from "../model/leaves.ts";
import { formatExit, type Observed } from "../model/observed.ts";
import type { Action, Reason } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import { isUpOrRestarting } from "../model/states.ts";
import { isAcceptedEnd, mayRun } from "../model/wanted.ts";

export interface Decision {
  readonly action: Action;
  readonly reasons: readonly Reason[];
}

/** One server that is both declared and recorded. */
interface Pair {
  readonly desired: ServerSpec;
  readonly observed: Observed;
  readonly fields: readonly FieldChange[];
}

/**
 * What to do about a server that is declared and recorded. Two separate questions:
 *
 * - Must the spec be written? Yes if a field differs, if someone else changed what was written, if it cannot be read, or
 *   if no configuration declared the server until now.
 * - What must happen to the process? A server that may run is started if it does not run and no exit explains that, and
 *   restarted if it was started with something else; a server that may not run is stopped.
 *
 * Writing the spec while the process is right is an `update`. That includes held and inactive servers, whose next start
 * will use it, and servers that wait (for a backoff or a dependency) or have completed, unless what they are started with
 * changed. Those are started: a backoff that the old command earned means nothing, and a task with other arguments is
 * another task.
 */
export function decide(pair: Pair): Decision {
  if (pair.desired.wanted === "ignore") return { action: "none", reasons: [] };
  const spec = specReasons(pair);
  const process = mayRun(pair.desired, pair.observed) ? towardsRunning(pair) : towardsRest(pair.observed);
  const action = process.action === "none" && spec.length > 0 ? "update" : process.action;
  return { action, reasons: [...spec, ...process.reasons] };
}

function specReasons({ observed, fields }: Pair): Reason[] {
  const reasons: Reason[] = [];
  if (observed.spec === undefined) reasons.push({ kind: "unreadable" });
  if (fields.length > 0) reasons.push({ kind: "field-changed", fields: fields.map(({ field }) => field) });
  if (observed.drift !== undefined) reasons.push({ kind: "drift", detail: observed.drift });
  if (observed.unsettled !== undefined) reasons.push({ kind: "unsettled", how: observed.unsettled });
  if (observed.kept) reasons.push({ kind: "kept" });
  return reasons;
}

function towardsRest(observed: Observed): Decision {
  return isUpOrRestarting(observed.state)
    ? { action: "stop", reasons: [{ kind: "unwanted" }] }
    : { action: "none", reasons: [] };
}

function towardsRunning(pair: Pair): Decision {
  const { desired, observed } = pair;
  switch (observed.state) {
    case "running":
    case "starting":
      return isOutdated(pair)
        ? { action: "restart", reasons: outdatedReasons(pair) }
        : { action: "none", reasons: [] };
    case "restarting":
      return { action: startChanged(pair) ? "start" : "none", reasons: [] };
    case "failed":
      return {
        action: "start",
        reasons: [{ kind: "failed", detail: failure(observed), at: observed.since }],
      };
    case "stopped":
      // It starts by itself. A changed one might do so before it is taken over: a start brings up what is declared.
      if (observed.waitsFor !== undefined)
        return { action: startChanged(pair) ? "start" : "none", reasons: [] };
      if (restedByConfiguration(observed)) return { action: "start", reasons: [] };
      if (!isAcceptedEnd(desired, observed)) return { action: "start", reasons: [absence(observed)] };
      return { action: startChanged(pair) ? "start" : "none", reasons: [] };
    case "stopping":
      // On its way to a state that the next plan will judge, unless it rests because the earlier spec said so.
      if (restedByConfiguration(observed)) return { action: "start", reasons: [] };
      return { action: startChanged(pair) ? "restart" : "none", reasons: [] };
  }
}

/** What the process was started with outranks the record: an interrupted apply may have left that outdated. */
function isOutdated(pair: Pair): boolean {
  const { runningHash } = pair.observed;
  return runningHash === undefined ? startChanged(pair) : runningHash !== startHash(pair.desired);
}

function outdatedReasons(pair: Pair): Reason[] {
  return pair.observed.spec === undefined || startChanged(pair) ? [] : [{ kind: "outdated-process" }];
}

function startChanged({ desired, observed, fields }: Pair): boolean {
  if (observed.spec === undefined) return true;
  const relevant = startFields(desired.backend);
  return (
    fields.some(({ field }) => relevant.includes(topField(field))) &&
    startHash(desired) !== startHash(observed.spec)
  );
}

/** It is inactive because its last applied spec wanted that and no operator said otherwise. */
function restedByConfiguration({ spec, operator }: Observed): boolean {
  return spec?.wanted === "stop" && operator === null;
}

/** The last exit alone if the reason begins with it; else the reason, which then says more (a failed spawn, for example). */
function failure({ reason, lastExit }: Observed): string {
  const exit = lastExit && formatExit(lastExit.exit);
  if (reason === undefined) return exit ?? "reason unknown";
  return exit !== undefined && reason.startsWith(exit) ? (reason.split(/[,;:] /)[0] ?? exit) : reason;
}

function absence({ lastExit, reason }: Observed): Reason {
  const detail = reason ?? (lastExit && formatExit(lastExit.exit));
  return detail === undefined ? { kind: "absent" } : { kind: "absent", detail };
}
