import { startFields } from "../model/canonical.ts";
import { ago } from "../model/elapsed.ts";
import { topField } from "../model/leaves.ts";
import type { Change, Reason } from "../model/plan.ts";
import { fieldLabel } from "./values.ts";

/** What follows "because", one clause a reason; nothing for a new server, whose sign says it all. */
export function reasonTexts(change: Change, now: number): string[] {
  const told = change.reasons.filter(({ kind }) => kind !== "unwanted" || !changes(change, "wanted"));
  return told.map((reason) => reasonText(reason, change, now)).filter((text) => text !== "");
}

function reasonText(reason: Reason, change: Change, now: number): string {
  switch (reason.kind) {
    case "not-recorded":
      return "";
    case "not-declared":
      return reason.elsewhere === undefined
        ? "it is no longer declared"
        : `it is declared for other machines (${reason.elsewhere})`;
    case "moved":
      return change.action === "remove" ? `it moves to ${reason.to}` : `it moves here from ${reason.from}`;
    case "unreadable":
      return "the record of what was applied cannot be read";
    case "field-changed":
      return `${enumerate(relevant(reason.fields, change).map(fieldLabel))} changed`;
    case "failed":
      return `it failed ${ago(now - reason.at)} (${reason.detail})`;
    case "absent":
      return `it should be running but is not${reason.detail === undefined ? "" : ` (${reason.detail})`}`;
    case "unwanted":
      return change.held ? "it is running although you stopped it" : "it is running but is wanted stopped";
    case "outdated-process":
      return "its process was started with an earlier configuration";
    case "drift":
      return `it was changed outside xy: ${reason.detail}`;
    case "kept":
      return "it was added by `xy run --keep`, and is declared now";
    case "unsettled":
      return reason.how === "unfinished"
        ? "an earlier apply of it was interrupted"
        : "xy now writes its unit differently, or to another place";
  }
}

function changes({ fields }: Change, name: string): boolean {
  return fields.some(({ field }) => field === name);
}

/** A restart is blamed on the fields that need one. */
function relevant(fields: readonly string[], { action, desired }: Change): readonly string[] {
  const restarting = startFields(desired?.backend ?? "agent");
  const culprits = fields.filter((field) => restarting.includes(topField(field)));
  return action === "restart" && culprits.length > 0 ? culprits : fields;
}

/** `a`, `a and b`, `a, b and c`, `a, b and 5 more`. */
function enumerate(items: readonly string[]): string {
  const shown = items.length > 4 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  const last = shown.at(-1) ?? "";
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(", ")} and ${last}`;
}
