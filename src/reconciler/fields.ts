import { canonicalJson } from "../model/canonical.ts";
import type { FieldChange } from "../model/field-change.ts";
import { type Described, leaves, topField } from "../model/leaves.ts";
import { own } from "../model/own.ts";
import type { EnvValue } from "../model/spec-parts.ts";
import { withoutUndefined } from "../model/without-undefined.ts";

/**
 * The differences between two specs of one server or action, field by field, in field order: nested objects dotted
 * (`restart.policy`), env per name (`env.RUST_LOG`), arrays whole (`args`), a secret as its reference with its keyed hash.
 * What one side lacks is absent there.
 */
export function fieldChanges<Spec extends Described>(from: Spec, to: Spec): FieldChange[] {
  const before = leaves(from);
  const after = leaves(settleSecrets(to, from));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names
    .filter((field) => !isSame(before.get(field) ?? null, after.get(field) ?? null))
    .sort(byPlace(Object.keys(to)))
    .map((field): FieldChange => {
      const [a, b] = [before.get(field), after.get(field)];
      return { field, ...withoutUndefined({ from: a, to: b }) };
    })
    .filter((change, _, all) => !isEmptyParent(change, all));
}

const isSame = (a: unknown, b: unknown) => a === b || canonicalJson(a) === canonicalJson(b);

/**
 * `spec` with the keyed hashes of `known` wherever it has the same reference without one: a secret that was not resolved
 * (`--no-secrets`) is assumed to be unchanged.
 */
export function settleSecrets<Spec extends Described>(spec: Spec, known: Spec): Spec {
  const settle = (name: string, value: EnvValue): EnvValue => {
    const old = own(known.env, name);
    if (old === undefined || typeof value === "string" || typeof old === "string" || value.hmac !== "")
      return value;
    return canonicalJson(old.secret) === canonicalJson(value.secret) ? old : value;
  };
  const env = Object.entries(spec.env).map(([name, value]) => [name, settle(name, value)] as const);
  return { ...spec, env: Object.fromEntries(env) };
}

/** In the order of the spec's fields, env by name, so that a plan does not depend on how records are stored. */
function byPlace(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => {
    const [left, right] = [topField(a), topField(b)];
    if (left !== right) return order.indexOf(left) - order.indexOf(right);
    return left === "env" && a !== b ? (a < b ? -1 : 1) : 0;
  };
}

/** A block that was added or removed (`mcp`: null → `mcp.path`) is reported by its inner fields. */
function isEmptyParent(change: FieldChange, all: readonly FieldChange[]): boolean {
  return (
    (change.from ?? change.to ?? null) === null &&
    all.some(({ field }) => field.startsWith(`${change.field}.`))
  );
}
