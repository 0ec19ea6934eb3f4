import type { z } from "zod";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import { withoutCredentials } from "../../model/target.ts";
import { formatPath, type KeyPath, type KeyStyle, placeOf, type Source } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { policyOf } from "../read/foreign-words.ts";
import { problemAt } from "./keys.ts";

type Issue = z.core.$ZodIssue;
interface Found {
  readonly path: KeyPath;
  readonly issue: Issue;
}

/** The schema's objections to a part of a document, each at its place, with keys as the file spells them. */
export function schemaProblems(schema: z.ZodType, value: unknown, source: Source): Diagnostic[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues
    .flatMap((issue) => innermost({ path: [], issue }))
    .slice(0, ENOUGH_PROBLEMS)
    .map((found) => toDiagnostic(found, value, source));
}

function toDiagnostic({ path, issue }: Found, value: unknown, source: Source): Diagnostic {
  const server = path[0] === "servers" && typeof path[1] === "string" ? path[1] : undefined;
  const whole = server === undefined ? "this file" : `the server ${show(server)}`;
  const field = formatPath(server === undefined ? path : path.slice(2), source.document.style) || whole;
  const place = placeOf(source, path, issue.code === "invalid_key" ? "key" : "value");
  const written = issue.code === "invalid_key" ? path.at(-1) : valueAt(value, path);
  const message = describe(
    issue,
    field,
    written,
    wayOutOf(path, written, source.document.style) ?? formOf(issue),
  );
  return {
    ...problemAt(place, message),
    ...(server !== undefined && NAME_PATTERN.test(server) && { server }),
  };
}

/** A better way out than the schema's, for what other tools write. */
function wayOutOf(path: KeyPath, value: unknown, style: KeyStyle): string | undefined {
  const key = path.at(-1);
  const policy = key === "restart" ? policyOf(value) : undefined;
  if (policy !== undefined)
    return style === "kebab" ? `write { policy: ${policy} }` : `write { "policy": "${policy}" }`;
  if (key === "command" && Array.isArray(value)) return "write its first word, and put the others into args";
  return undefined;
}

/** Ways out where the schema has none: the library's messages name its types, which mean nothing to users. */
const FORMS: Readonly<Record<string, string>> = {
  object: "write a block",
  record: "write a block",
  array: "write a list",
  string: "write text in quotes",
};

const formOf = (issue: Issue): string | undefined =>
  issue.code === "invalid_type" && issue.message.startsWith("Invalid input")
    ? FORMS[issue.expected]
    : undefined;

function describe(issue: Issue, field: string, value: unknown, wayOut = issue.message): string {
  switch (issue.code) {
    case "invalid_key":
      return `cannot use the name ${show(value)}: ${issue.issues[0]?.message ?? issue.message}`;
    case "unrecognized_keys":
      return `cannot use ${issue.keys.join(", ")} in ${field}: it does not fit the other settings there; remove it`;
    default:
      return value === undefined
        ? `cannot leave out ${field}: ${issue.message}`
        : `cannot use ${show(value)} for ${field}: ${wayOut}`;
  }
}

/** The alternative of a union that was meant: the one whose own form fits, so the problem lies inside it. */
function innermost({ path, issue }: Found): Found[] {
  const here = [...path, ...(issue.path as KeyPath)];
  if (issue.code !== "invalid_union") return [{ path: here, issue }];
  const meant = issue.errors.find(
    (issues) => issues.length > 0 && issues.every((inner) => inner.path.length > 0),
  );
  return meant ? meant.flatMap((inner) => innermost({ path: here, issue: inner })) : [{ path: here, issue }];
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (part, key) => (part as Record<string | number, unknown> | null | undefined)?.[key],
    value,
  );
}

/** A value as a message shows it, not too long. */
export function show(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a block";
  const text = typeof value === "string" ? JSON.stringify(withoutCredentials(value)) : String(value);
  return text.length > 60 ? `${text.slice(0, 56)}…${typeof value === "string" ? '"' : ""}` : text;
}
