import type { Manager } from "../../model/backends.ts";
import type { ServerSpec } from "../../model/spec.ts";

/** How far a manager can express a field of a server; the table itself is in `capabilities.ts`. */

export type Capability =
  /** `by`: the setting that carries it. */
  | { readonly kind: "exact"; readonly by: string }
  | { readonly kind: "approximate"; readonly by: string; readonly how: string }
  /** `instead`: what happens in its place. */
  | { readonly kind: "absent"; readonly instead: string };

export interface CapabilityRow {
  /** As a configuration says it, in KDL and YAML. */
  readonly field: string;
  readonly of: Readonly<Record<Manager, Capability>>;
  /** Where it is otherwise of a unit that xy installs itself. */
  readonly installed?: Readonly<Partial<Record<Manager, Capability>>>;
  /** Whether anything is lost of this server where the capability is less than exact. */
  readonly matters?: (spec: ServerSpec, manager: Manager) => boolean;
}

export const exact = (by: string): Capability => ({ kind: "exact", by });
export const approximate = (by: string, how: string): Capability => ({ kind: "approximate", by, how });
export const absent = (instead: string): Capability => ({ kind: "absent", instead });

/** What a manager can express of a field, in a unit to commit or in one that xy installs. */
export function capabilityOf(
  { of, installed }: CapabilityRow,
  manager: Manager,
  isInstalled: boolean,
): Capability {
  return (isInstalled ? installed?.[manager] : undefined) ?? of[manager];
}
