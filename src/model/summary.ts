import { clientLabel } from "./client-plan.ts";
import type { Action, ActionChange, Change, Plan } from "./plan.ts";

/** Names of servers, and of actions and clients as their labels write them, by what the plan does to them. */
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

type Changing = Pick<Plan, "changes" | "actions" | "clients">;

export function summary(plan: Changing): PlanSummary {
  const actions = (what: ActionChange["change"]) =>
    plan.actions.filter(({ change }) => change === what).map(({ key }) => actionLabel(key));
  const clients = (what: ActionChange["change"]) =>
    (plan.clients ?? []).filter(({ change }) => change === what).map(({ client }) => clientLabel(client));
  const names = (match: (change: Change) => boolean) =>
    plan.changes.filter(match).map(({ server }) => server);
  return {
    add: [...names(({ action }) => group(action) === "add"), ...actions("add"), ...clients("add")],
    change: [
      ...names(({ action }) => group(action) === "change"),
      ...actions("update"),
      ...clients("update"),
    ],
    remove: [
      ...names(({ action }) => group(action) === "remove"),
      ...actions("remove"),
      ...clients("remove"),
    ],
    matching: names((change) => change.action === "none" && !isIgnored(change)),
    ignored: names(isIgnored),
    held: names(({ held, action }) => held && action !== "remove"),
    waiting: names(isWaiting),
    drifted: names(({ observed }) => observed?.drift !== undefined),
  };
}

/** Carrying it out would do nothing. */
export function isEmpty({ changes, actions, clients = [] }: Changing): boolean {
  return changes.every(({ action }) => action === "none") && [...actions, ...clients].every(isSame);
}

/** It starts by itself, with what the plan makes of its spec. */
export function isWaiting({ action, observed }: Change): boolean {
  return observed?.waitsFor !== undefined && (action === "none" || action === "update");
}

const isSame = ({ change }: Pick<ActionChange, "change">) => change === "none";

/** How an action is named among servers: no server has such a name. */
export function actionLabel(key: string): string {
  return `action ${key}`;
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
