import type { ServerSpec } from "../../model/spec.ts";
import { CAPABILITIES } from "./capabilities.ts";
import type { Manager } from "./unit.ts";

/** A field of which something is lost. */
export interface Loss {
  readonly field: string;
  readonly kind: "approximate" | "absent";
  /** `launchd cannot express restart.backoff-max: every wait is the same`. */
  readonly message: string;
}

/** What is lost of a server under a manager. */
export function lossesOf(spec: ServerSpec, manager: Manager): Loss[] {
  return CAPABILITIES.flatMap(({ field, of, matters }): Loss[] => {
    const capability = of[manager];
    if (capability.kind === "exact" || matters?.(spec, manager) === false) return [];
    const { kind } = capability;
    const message =
      kind === "absent"
        ? `${manager} cannot express ${field}: ${capability.instead}`
        : `${manager} expresses ${field} only roughly: ${capability.how}`;
    return [{ field, kind, message }];
  });
}
