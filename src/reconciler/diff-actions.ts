import { type ActionSpec, actionKey } from "../model/action.ts";
import { canonicalJson } from "../model/canonical.ts";
import { type FormerName, settlePlaces, usable, withPlacesOf } from "../model/former.ts";
import type { ActionChange } from "../model/plan.ts";
import { fieldChanges, settleSecrets } from "./fields.ts";

/** The difference between the declared actions and those that the agent knows, by key. Pure. */
export function diffActions(
  desired: readonly ActionSpec[],
  recorded: readonly ActionSpec[],
  former: readonly FormerName[] = [],
): ActionChange[] {
  const wanted = new Map(desired.map((spec) => [actionKey(spec), spec]));
  const known = new Map(recorded.map((spec) => [actionKey(spec), spec]));
  return [...new Set([...wanted.keys(), ...known.keys()])]
    .sort()
    .map((key) => changeOf(key, wanted.get(key), known.get(key), former));
}

function changeOf(
  key: string,
  declared: ActionSpec | undefined,
  known: ActionSpec | undefined,
  former: readonly FormerName[],
): ActionChange {
  if (declared === undefined)
    return { key, change: "remove", fields: [], ...(known ? { recorded: known } : {}) };
  if (known === undefined) return { key, change: "add", fields: [], desired: declared };
  const settled = settleSecrets(settlePlaces(declared, known, usable(former)), known);
  const fields = fieldChanges(known, settled);
  const named = former.length === 0 ? settled : withPlacesOf(settled, declared);
  if (fields.length > 0) return { key, change: "update", fields, desired: named, recorded: known };
  const renamed = canonicalJson(named) === canonicalJson(settled) ? {} : { renamed: named };
  return { key, change: "none", fields, desired: settled, recorded: known, ...renamed };
}

/** The name that `--only` and `--except` use for it: its server's, or its own if it stands alone. */
export function ownerOf({ desired, recorded }: Pick<ActionChange, "desired" | "recorded">): string {
  const spec = desired ?? recorded;
  return spec?.server ?? spec?.name ?? "";
}
