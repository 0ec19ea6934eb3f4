import { createHash } from "node:crypto";
import type { AnyRow, Rows } from "./field.ts";
import { own } from "./own.ts";
import { SERVER_FIELDS } from "./server-fields.ts";
import type { ServerSpec } from "./spec.ts";

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
  return canonicalHash(withoutDefaults(spec));
}

/**
 * Identifies what a process gets at its start: two specs with the same hash need no restart between them. What is in it
 * is said by the rows of {@link SERVER_FIELDS}.
 */
export function startHash(spec: ServerSpec): string {
  return canonicalHash(startParts(spec));
}

function startParts(spec: ServerSpec): unknown[] {
  const rows: [string, AnyRow][] = Object.entries(SERVER_FIELDS);
  const first = rows.flatMap(([name, row]) =>
    FIRST.has(name) ? partsOf(row, spec.backend, firstOf(name, row, spec[name as keyof ServerSpec])) : [],
  );
  return [...first, ...laterParts(rows, spec, spec.backend)];
}

/** A block without what came later: that stands in the hash by itself. */
const firstOf = (name: string, { rows }: AnyRow, value: unknown): unknown =>
  rows
    ? Object.fromEntries(Object.entries(value as object).filter(([key]) => FIRST.has(`${name}.${key}`)))
    : value;

const partsOf = ({ start }: AnyRow, backend: ServerSpec["backend"], value: unknown): readonly unknown[] =>
  start?.[backend]?.(value as never) ?? [];

/**
 * Of those that came later: by name, and not at all where they are as in a record without them. In a block that a start
 * depends on, a row that says nothing of its own counts whole.
 */
function laterParts(
  rows: readonly [string, AnyRow][],
  values: Readonly<Record<string, unknown>>,
  backend: ServerSpec["backend"],
  { prefix, counts } = { prefix: "", counts: false },
): unknown[] {
  return rows.flatMap(([key, row]) => {
    const name = `${prefix}${key}`;
    const value = values[key];
    const part = row.start?.[backend];
    if (row.rows) {
      const inner = (value ?? {}) as Record<string, unknown>;
      const around = { prefix: `${name}.`, counts: part !== undefined };
      return laterParts(Object.entries(row.rows), inner, backend, around);
    }
    if (FIRST.has(name) || isAbsent(row, value)) return [];
    const parts = part?.(value as never) ?? (counts ? [value] : []);
    return parts.length === 0 ? [] : [{ [name]: parts }];
  });
}

const isAbsent = ({ absent }: AnyRow, value: unknown) =>
  value === undefined || canonicalJson(value) === canonicalJson(absent);

/**
 * A spec without those of its fields that came later and are as in a record without them: what an earlier version can
 * read, and what it has made its hashes of.
 */
export function withoutDefaults(spec: ServerSpec): ServerSpec {
  return compacted(SERVER_FIELDS, spec) as ServerSpec;
}

function compacted(
  rows: Rows,
  values: Readonly<Record<string, unknown>>,
  prefix = "",
): Record<string, unknown> {
  const entries = Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
    const name = `${prefix}${key}`;
    const row = own(rows, key);
    if (row?.rows) {
      const inner = compacted(row.rows, value as Record<string, unknown>, `${name}.`);
      return FIRST.has(name) || Object.keys(inner).length > 0 ? [[key, inner]] : [];
    }
    return row && !FIRST.has(name) && isAbsent(row, value) ? [] : [[key, value]];
  });
  return Object.fromEntries(entries);
}

/**
 * The fields that the first records had. They stand in every hash, at their places and whatever their values: to take one
 * out, or to add one, would have every server restarted at the next update. Nothing is ever added here.
 */
const FIRST: ReadonlySet<string> = new Set([
  ...["name", "project", "backend", "class", "command", "program", "args", "port", "host", "mcp", "env"],
  ...["workingDir", "umask", "restart", "stop", "readiness", "liveness", "dependsOn", "logs", "wanted"],
  ...["limits", "description", "tags", "limits.openFiles", "stop.grace", "stop.signal", "logs.maxSize"],
  ...["logs.keep", "restart.policy", "restart.backoffInitial", "restart.backoffMax"],
  ...["restart.maxRetriesPerMinute", "restart.resetAfter", "restart.successExitCodes"],
]);

/** The fields of which a change may need a new process. Whether it does is said by {@link startHash}. */
export function startFields(backend: ServerSpec["backend"]): readonly string[] {
  const needs = ({ start, rows }: AnyRow): boolean =>
    start?.[backend] !== undefined || Object.values(rows ?? {}).some(needs);
  const rows: [string, AnyRow][] = Object.entries(SERVER_FIELDS);
  return rows.filter(([, row]) => needs(row)).map(([name]) => name);
}

/** Dotted names of what another version has said of a server and is in no row. What is empty says nothing. */
export function unknownFields(spec: ServerSpec): readonly string[] {
  return split(SERVER_FIELDS, spec).unknown;
}

/** A spec without that: nothing of it can be desired here. */
export function knownOnly(spec: ServerSpec): ServerSpec {
  return split(SERVER_FIELDS, spec).known as ServerSpec;
}

const EMPTY: readonly string[] = ["null", '""', "[]"];

function split(
  rows: Rows,
  values: Readonly<Record<string, unknown>>,
): { known: Record<string, unknown>; unknown: string[] } {
  const known: [string, unknown][] = [];
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    const row = own(rows, key);
    const inner = row?.rows && split(row.rows, value as Record<string, unknown>);
    if (row) known.push([key, inner ? inner.known : value]);
    else if (!EMPTY.includes(canonicalJson(value))) unknown.push(key);
    unknown.push(...(inner?.unknown ?? []).map((name) => `${key}.${name}`));
  }
  return { known: Object.fromEntries(known), unknown };
}
