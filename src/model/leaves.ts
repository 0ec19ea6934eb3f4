import type { EnvValue } from "./spec-parts.ts";

/** A server, or an action. */
export interface Described {
  readonly env: Readonly<Record<string, EnvValue>>;
}

/** What names it rather than describes it. */
const IDENTITY: ReadonlySet<string> = new Set(["name", "project", "backend", "server"]);

/**
 * The values that a spec is made of, by dotted name (`restart.policy`, `env.RUST_LOG`), in the spec's order. Arrays are
 * whole, so are references to secrets. The fields that name it are left out.
 */
export function leaves(spec: Described): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [field, value] of Object.entries(spec)) {
    if (IDENTITY.has(field)) continue;
    if (field === "env") for (const [name, v] of Object.entries(spec.env)) found.set(`env.${name}`, v);
    else flatten(field, value, found);
  }
  return found;
}

function flatten(field: string, value: unknown, into: Map<string, unknown>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) into.set(field, value);
  else for (const [key, inner] of Object.entries(value)) flatten(`${field}.${key}`, inner, into);
}

/** Name of the spec's own field that a dotted name belongs to. */
export function topField(leaf: string): string {
  return leaf.split(".", 1)[0] ?? leaf;
}
