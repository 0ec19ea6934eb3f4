import type { Manager } from "../../model/backends.ts";
import type { ServerSpec } from "../../model/spec.ts";

/** How far a manager can express a field of a server; the table itself is in `capabilities.ts`. */

export type Capability =
  /** `by`: the setting that expresses it. */
  | { readonly kind: "exact"; readonly by: string }
  | { readonly kind: "approximate"; readonly by: string; readonly how: string }
  /** `instead`: what happens instead. */
  | { readonly kind: "absent"; readonly instead: string };

export interface CapabilityRow {
  /** Its name in a configuration, in KDL and YAML. */
  readonly field: string;
  readonly of: Readonly<Record<Manager, Capability>>;
  /** Cells that differ for a unit that xy installs itself. */
  readonly installed?: Readonly<Partial<Record<Manager, Capability>>>;
  /** Whether this server loses anything if the capability is less than exact. Default: it does. */
  readonly matters?: (spec: ServerSpec, manager: Manager) => boolean;
}

export const exact = (by: string): Capability => ({ kind: "exact", by });
export const approximate = (by: string, how: string): Capability => ({ kind: "approximate", by, how });
export const absent = (instead: string): Capability => ({ kind: "absent", instead });

/** What a manager can express of a field, in an emitted unit or in one that xy installs. */
export function capabilityOf(
  { of, installed }: CapabilityRow,
  manager: Manager,
  isInstalled: boolean,
): Capability {
  return (isInstalled ? installed?.[manager] : undefined) ?? of[manager];
}
