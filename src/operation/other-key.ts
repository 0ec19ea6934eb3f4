import { join } from "node:path";
import type { Diagnostic } from "../model/diagnostic.ts";
import { own } from "../model/own.ts";
import type { Change } from "../model/plan.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import { appliedServers, applying } from "./applied-secrets.ts";

/**
 * Secrets whose values are what they were, and whose keyed hashes are not: it is the key that has changed, since it was
 * damaged or lost. Nobody would guess that from a plan in which they count as changed.
 */
export function otherKey(
  changes: readonly Change[],
  secrets: Readonly<Record<string, SecretValues>>,
  state: string,
): Diagnostic[] {
  const names = changes.flatMap((change) =>
    hasOtherKey(change, own(secrets, change.server) ?? {}, state) ? [change.server] : [],
  );
  if (names.length === 0) return [];
  const key = join(state, "key");
  const message = `the secrets of ${names.join(", ")} count as changed because the key by which they are compared, ${key}, was damaged or lost and is new: their values are what they were; an apply restarts what has them, once`;
  return [{ severity: "warning", message }];
}

function hasOtherKey({ desired, observed }: Change, values: SecretValues, state: string): boolean {
  if (desired === undefined || observed?.spec === undefined) return false;
  const before = observed.spec.env;
  const suspects = Object.entries(desired.env).filter(([name, value]) => {
    const then = own(before, name);
    return typeof value === "object" && typeof then === "object" && value.hmac !== then.hmac;
  });
  if (suspects.length === 0) return false;
  const records = appliedServers(state, desired);
  return suspects.some(([name, value]) => {
    const now = own(values, name);
    if (now === undefined || typeof value !== "object") return false;
    return own(applying(records, name, value.secret)?.secrets ?? {}, name) === now;
  });
}
