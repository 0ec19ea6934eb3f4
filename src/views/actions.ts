import type { Action, Change } from "../model/plan.ts";
import type { Sign } from "./line-diff.ts";

export function changeSign(action: Action): Sign {
  switch (action) {
    case "add":
      return "+";
    case "remove":
      return "-";
    case "restart":
      return "-/+";
    case "update":
    case "start":
    case "stop":
      return "~";
    case "none":
      return "";
  }
}

/** What follows the server's name in a plan. */
export function changeHeading(change: Change): string {
  // Only a server with a port has clients, and with them sessions.
  const breaks = change.breaksSessions && typeof change.observed?.spec?.port === "number";
  return `${future(change)}${breaks ? ", which breaks its live sessions" : ""}`;
}

function future({ action, held, desired, fields, observed }: Change): string {
  switch (action) {
    case "add":
      if (held) return "will be added and stays stopped (held)";
      return desired?.wanted === "start" ? "will be added and started" : "will be added";
    case "update":
      return observed?.state === "running" ? "will be changed in place" : "will be changed";
    case "restart":
      return fields.length > 0 ? "will be changed and restarted" : "will be restarted";
    case "start":
      return fields.length > 0 ? "will be changed and started" : "will be started";
    case "stop":
      return fields.length > 0 ? "will be changed and stopped" : "will be stopped";
    case "remove":
      return observed !== undefined && observed.pid !== undefined
        ? "will be stopped and removed"
        : "will be removed";
    case "none":
      return "matches";
  }
}

/** `"adding"`, `"restarting"` …: an action in progress. */
export function actionOngoing(action: Action): string {
  switch (action) {
    case "add":
      return "adding";
    case "update":
      return "changing";
    case "restart":
      return "restarting";
    case "start":
      return "starting";
    case "stop":
      return "stopping";
    case "remove":
      return "removing";
    case "none":
      return "nothing to do";
  }
}

/** `"added"`, `"restarted"` …: a finished action. */
export function actionOver(action: Action): string {
  switch (action) {
    case "add":
      return "added";
    case "update":
      return "changed";
    case "restart":
      return "restarted";
    case "start":
      return "started";
    case "stop":
      return "stopped";
    case "remove":
      return "removed";
    case "none":
      return "unchanged";
  }
}

/** The verb for a message: `cannot restart …`. */
export function actionVerb(action: Action): string {
  return action === "update" ? "change" : action;
}
