import type { Missing, Observed } from "./observed.ts";
import type { ServerSpec } from "./spec.ts";
import { isInactive } from "./states.ts";
import { isSuccess } from "./success.ts";

/** What a server requires of its dependency. */
export type Condition = ServerSpec["dependsOn"][number]["condition"];

/** What must be known about a server to tell whether it meets its dependents' conditions. */
export interface Standing
  extends Pick<Observed, "state" | "operator" | "lastExit" | "reason" | "neverReady"> {
  readonly ready: Pick<Observed["ready"], "status" | "evidence">;
  readonly spec?: Pick<ServerSpec, "restart" | "wanted">;
  /** It will start once these meet its conditions. Earlier runs no longer count. */
  readonly waits?: readonly string[];
}

/** A run that exited successfully meets every condition: its work is done. */
export function isMet(standing: Standing, condition: Condition): boolean {
  if (standing.waits !== undefined) return false;
  if (hasCompleted(standing)) return true;
  if (condition === "completed" || standing.state !== "running") return false;
  return condition === "started" || standing.ready.status === "ok";
}

/** It exited by itself, successfully. */
export function hasCompleted({ state, lastExit, spec, neverReady }: Omit<Standing, "ready">): boolean {
  if (state !== "stopped" || neverReady || lastExit === undefined || lastExit.requested === true)
    return false;
  const { exit } = lastExit;
  return spec !== undefined && isSuccess(exit, spec);
}

/** Why a server does not meet a dependent's condition; undefined if it does. */
export function missing(server: string, condition: Condition, standing: Standing): Missing | undefined {
  if (isMet(standing, condition)) return undefined;
  return { server, condition, state: shortfall(standing, condition), resting: isResting(standing) };
}

function isResting({ state, waits }: Standing): boolean {
  return waits === undefined && isInactive(state);
}

function shortfall(standing: Standing, condition: Condition): string {
  const { state, operator, ready, spec, waits } = standing;
  if (waits !== undefined) return waits.length === 0 ? "about to start" : `waiting for ${waits.join(", ")}`;
  switch (state) {
    case "running":
      return condition === "completed" ? "running, not completed" : `running, not ready: ${ready.evidence}`;
    case "stopped":
      if (operator === "stop") return "held";
      return spec?.wanted === "start" ? because(standing) : "stopped, as the configuration wants it";
    case "starting":
    case "restarting":
    case "stopping":
    case "failed":
      return because(standing);
  }
}

function because({ state, reason }: Standing): string {
  return reason === undefined ? state : `${state}: ${reason}`;
}

/** What a server is once it meets the condition. */
export const CONDITION_STATE: Readonly<Record<Condition, string>> = {
  started: "running",
  ready: "ready",
  completed: "completed",
};

/** What others wait for it to do. */
export const CONDITION_VERB: Readonly<Record<Condition, string>> = {
  started: "to run",
  ready: "to be ready",
  completed: "to complete",
};

/** `waits for db to be ready: held; and for seed to complete: failed: exit 7`. Needs at least one. */
export function waitsText(all: readonly Missing[]): string {
  const each = all.map(({ server, condition, state }) => `${server} ${CONDITION_VERB[condition]}: ${state}`);
  return `waits for ${each.join("; and for ")}`;
}

/** As {@link waitsText}, with what ends the wait. `resting`: what somebody has to start for it. */
export function waitsSentence(all: readonly Missing[], resting: readonly string[] = restingOf(all)): string {
  const how = resting.length === 0 ? "" : ` (run \`xy start ${resting.join(" ")}\`)`;
  return `${waitsText(all)}; it starts automatically once that happens${how}`;
}

/** Names of those that nothing starts automatically. */
export function restingOf(all: readonly Missing[]): string[] {
  return all.filter(({ resting }) => resting).map(({ server }) => server);
}
