import { createHash } from "node:crypto";
import { RESTART_FIELDS, type ServerSpec } from "./spec.ts";

/** JSON with object keys in code-point order and no spaces: equal values give equal text, in any run and version. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** SHA-256 (hex) of the canonical form. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Identifies a whole spec. */
export function specHash(spec: ServerSpec): string {
  return canonicalHash(spec);
}

/** Identifies what a process gets at its start: two specs with the same hash need no restart between them. */
export function startHash(spec: ServerSpec): string {
  return canonicalHash(RESTART_FIELDS.map((field) => spec[field]));
}
