import { isMap } from "./keys.ts";
import type { KeyPath } from "./place.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A server's fields over the defaults: blocks and `env` key by key, everything else replaced. */
export function mergeServer(defaults: Fields, own: Fields): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set([...Object.keys(defaults), ...Object.keys(own)])].map((key) => [
      key,
      mergeField(key, defaults[key], own[key]),
    ]),
  );
}

/** Of another type a probe has other settings. Elsewhere `type` may be a name that somebody chose. */
const PROBES: readonly string[] = ["readiness", "liveness"];

function mergeField(key: string, base: unknown, own: unknown): unknown {
  if (own === undefined) return base;
  if (!isMap(base) || !isMap(own)) return own;
  if (PROBES.includes(key) && base.type !== own.type) return own;
  return Object.fromEntries([...Object.entries(base), ...Object.entries(own)]);
}

/** Whether something is said at this path. */
export function says(value: unknown, path: KeyPath): boolean {
  let part = value;
  for (const key of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, key)) return false;
    part = (part as Record<string | number, unknown>)[key];
  }
  return part !== undefined;
}
