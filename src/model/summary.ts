import type { Action, Change, Plan } from "./plan.ts";

/** Server names by what the plan does to them, each list in name order. */
export interface PlanSummary {
  readonly add: readonly string[];
  /** In place, by restart, started or stopped. */
  readonly change: readonly string[];
  readonly remove: readonly string[];
  /** Nothing is done, because they match. */
  readonly matching: readonly string[];
  /** Declared with `wanted: ignore`: nothing is ever done. */
  readonly ignored: readonly string[];
  /** The operator said stop. They appear in one of the lists above as well, as those below do. */
  readonly held: readonly string[];
  /** They start by themselves once what they depend on is as they ask. */
  readonly waiting: readonly string[];
  readonly drifted: readonly string[];
}

export function summary(plan: Pick<Plan, "changes">): PlanSummary {
  const names = (match: (change: Change) => boolean) =>
    plan.changes.filter(match).map(({ server }) => server);
  return {
    add: names(({ action }) => group(action) === "add"),
    change: names(({ action }) => group(action) === "change"),
    remove: names(({ action }) => group(action) === "remove"),
    matching: names((change) => change.action === "none" && !isIgnored(change)),
    ignored: names(isIgnored),
    held: names(({ held, action }) => held && action !== "remove"),
    waiting: names(isWaiting),
    drifted: names(({ observed }) => observed?.drift !== undefined),
  };
}

/** Carrying it out would do nothing. */
export function isEmpty(plan: Pick<Plan, "changes">): boolean {
  return plan.changes.every(({ action }) => action === "none");
}

/** It starts by itself, with what the plan makes of its spec. */
export function isWaiting({ action, observed }: Change): boolean {
  return observed?.waitsFor !== undefined && (action === "none" || action === "update");
}

function isIgnored({ desired }: Change): boolean {
  return desired?.wanted === "ignore";
}

/** Under which of the three counts an action goes. */
export function group(action: Action): "add" | "change" | "remove" | "none" {
  switch (action) {
    case "add":
    case "remove":
    case "none":
      return action;
    case "update":
    case "restart":
    case "start":
    case "stop":
      return "change";
  }
}
