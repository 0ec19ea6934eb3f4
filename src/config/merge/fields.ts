import { isObject } from "../../model/object.ts";
import type { KeyPath } from "../place.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A server's fields over the defaults: blocks and `env` key by key, everything else replaced. */
export function mergeFields(defaults: Fields, own: Fields): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set([...Object.keys(defaults), ...Object.keys(own)])].map((key) => [
      key,
      mergeField(key, defaults[key], own[key]),
    ]),
  );
}

/** A probe of another type has other settings. Elsewhere `type` may be a name that a person chose. */
const PROBES: readonly string[] = ["readiness", "liveness"];

function mergeField(key: string, base: unknown, own: unknown): unknown {
  if (own === undefined) return base;
  if (!isObject(own)) return own;
  const isProbe = PROBES.includes(key);
  const hasType = own.type !== undefined && own.type !== "default";
  // Settings without a type belong to the type set elsewhere.
  if (isProbe && !hasType && typeof base === "string") return { ...own, type: base };
  if (!isObject(base)) return own;
  if (!isProbe) return { ...base, ...own };
  if (hasType && base.type !== own.type) return own;
  return { ...base, ...own, ...(!hasType && base.type !== undefined ? { type: base.type } : {}) };
}

/** Whether a value sets something at this path. */
export function says(value: unknown, path: KeyPath): boolean {
  let part = value;
  for (const key of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, key)) return false;
    part = (part as Record<string | number, unknown>)[key];
  }
  return part !== undefined;
}
