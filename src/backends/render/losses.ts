import type { Manager } from "../../model/backends.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { capabilityOf } from "./capability.ts";

/** A field that a manager cannot express fully. */
export interface Loss {
  readonly field: string;
  readonly kind: "approximate" | "absent";
  /** `launchd cannot express restart.backoff-max: every wait has the same length`. */
  readonly message: string;
}

/** What a server loses under a manager. `isInstalled`: xy installs it, and is present when it starts. */
export function lossesOf(spec: ServerSpec, manager: Manager, isInstalled: boolean): Loss[] {
  return CAPABILITIES.flatMap((row): Loss[] => {
    const { field, matters } = row;
    const capability = capabilityOf(row, manager, isInstalled);
    if (capability.kind === "exact" || matters?.(spec, manager) === false) return [];
    const { kind } = capability;
    const message =
      kind === "absent"
        ? `${manager} cannot express ${field}: ${capability.instead}`
        : `${manager} expresses ${field} only roughly: ${capability.how}`;
    return [{ field, kind, message }];
  });
}
