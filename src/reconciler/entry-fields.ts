import { canonicalJson } from "../model/canonical.ts";
import type { FieldChange } from "../model/field-change.ts";
import { isObject } from "../model/object.ts";
import { withoutUndefined } from "../model/without-undefined.ts";

/** What stands for a value that somebody else has put into a client's file: it may be a secret. */
const NOT_SHOWN = "(not shown)";

/** What differs between an entry that was found and the one that is wanted, by dotted name; arrays are whole. */
export function entryFields(found: unknown, wanted: unknown): FieldChange[] {
  const before = leavesOf(found);
  const after = leavesOf(wanted);
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((field) => canonicalJson(before.get(field) ?? null) !== canonicalJson(after.get(field) ?? null))
    .map((field) => {
      const from = before.has(field) ? shown(before.get(field)) : undefined;
      return { field, ...withoutUndefined({ from, to: after.get(field) }) };
    });
}

function leavesOf(value: unknown, at = ""): Map<string, unknown> {
  if (!isObject(value)) return new Map(at === "" ? [] : [[at, value]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...leavesOf(inner, at === "" ? key : `${at}.${key}`)]),
  );
}

/** Numbers, switches, and where a URL leads: nothing that could be a secret. */
function shown(value: unknown): unknown {
  if (typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value !== "string" || !URL.canParse(value)) return NOT_SHOWN;
  const { protocol, host, pathname, search } = new URL(value);
  const isPlain = /^https?:$/.test(protocol) && /^(\/[\w.-]{0,24})*$/.test(pathname);
  return isPlain ? `${protocol}//${host}${pathname}${search === "" ? "" : "?…"}` : NOT_SHOWN;
}
