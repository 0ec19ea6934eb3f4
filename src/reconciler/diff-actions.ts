import { type ActionSpec, actionKey } from "../model/action.ts";
import type { ActionChange } from "../model/plan.ts";
import { fieldChanges, settleSecrets } from "./fields.ts";

/** The difference between the actions that are declared and those that are known, in the order of their keys. Pure. */
export function diffActions(desired: readonly ActionSpec[], recorded: readonly ActionSpec[]): ActionChange[] {
  const wanted = new Map(desired.map((spec) => [actionKey(spec), spec]));
  const known = new Map(recorded.map((spec) => [actionKey(spec), spec]));
  return [...new Set([...wanted.keys(), ...known.keys()])]
    .sort()
    .map((key) => changeOf(key, wanted.get(key), known.get(key)));
}

function changeOf(
  key: string,
  declared: ActionSpec | undefined,
  known: ActionSpec | undefined,
): ActionChange {
  if (declared === undefined)
    return { key, change: "remove", fields: [], ...(known ? { recorded: known } : {}) };
  if (known === undefined) return { key, change: "add", fields: [], desired: declared };
  const desired = settleSecrets(declared, known);
  const fields = fieldChanges(known, desired);
  return { key, change: fields.length > 0 ? "update" : "none", fields, desired, recorded: known };
}

/** What `--only` and `--except` name it by: its server, or itself when it stands alone. */
export function ownerOf({ desired, recorded }: Pick<ActionChange, "desired" | "recorded">): string {
  const spec = desired ?? recorded;
  return spec?.server ?? spec?.name ?? "";
}
