import { isObject } from "../../model/object.ts";
import { SERVER_FIELDS } from "../../model/server-fields.ts";
import { toKebab } from "../place.ts";
import { jsonText } from "./json-text.ts";

/** A server's file, from its settings in camelCase. */

export const SERVER_FORMATS = ["kdl", "yaml", "json"] as const;
export type ServerFormat = (typeof SERVER_FORMATS)[number];
type Settings = Readonly<Record<string, unknown>>;

/** What it is stands first, then the settings as the schema has them. */
const ORDER = ["description", ...Object.keys(SERVER_FIELDS).filter((key) => key !== "description")];

/** Settings whose own keys are names, not words of the schema. */
const NAMED = new Set(["env", "actions"]);

/** `remarks`: comments above it, a line each; JSON has none. */
export async function serverText(
  settings: Settings,
  format: ServerFormat,
  remarks: readonly string[] = [],
): Promise<string> {
  const present = settled(settings);
  if (format === "json") return jsonText(present);
  const comments = remarkLines(remarks, format === "kdl" ? "//" : "#");
  if (format === "kdl") return [...comments, ...kdlNodes(present, "", true)].join("");
  const { stringify } = await import("yaml");
  return comments.join("") + stringify(kebabSettings(present), { lineWidth: 0 });
}

/** What is set, in the usual order. */
export const settled = (settings: Settings): Settings =>
  Object.fromEntries(ORDER.flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key]]])));

/** Comments, a line each; what would end a line begins another. */
export const remarkLines = (remarks: readonly string[], sign: string): string[] =>
  remarks.flatMap((remark) => remark.split(/[\r\n\u0085\u2028\u2029]+/)).map((line) => `${sign} ${line}\n`);

export const kebabSettings = (settings: Settings): unknown => kebab(settings);

function kebab(value: unknown, isNamed = false): unknown {
  if (Array.isArray(value)) return value.map((item) => kebab(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [isNamed ? key : toKebab(key), kebab(item, NAMED.has(key))]),
  );
}

export function kdlNodes(settings: Settings, indent: string, isSchema: boolean): string[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    kdlNode(isSchema ? toKebab(key) : kdlName(key), value, indent, !NAMED.has(key)),
  );
}

function kdlNode(name: string, value: unknown, indent: string, isSchema: boolean): string[] {
  const line = (rest: string) => `${indent}${name}${rest}\n`;
  if (Array.isArray(value)) {
    // Each of several blocks is a node of its own.
    if (value.some(isObject)) return value.flatMap((item) => kdlNode(name, item, indent, isSchema));
    return [line(value.map((item) => ` ${kdlValue(item)}`).join(""))];
  }
  if (!isObject(value)) return [line(value === true && name === "mcp" ? "" : ` ${kdlValue(value)}`)];
  if (isObject(value.secret)) {
    const [[kind, from] = ["", ""]] = Object.entries(value.secret);
    return [line(` (${kind})${kdlValue(from)}`)];
  }
  const { type, server, ...rest } = value;
  const first = isSchema ? (type ?? server) : undefined;
  const inner = first === undefined ? value : rest;
  const head = first === undefined ? "" : ` ${kdlValue(first)}`;
  if (Object.keys(inner).length === 0) return [line(head)];
  const isFlat = first !== undefined && Object.values(inner).every((item) => typeof item !== "object");
  if (isFlat) {
    const properties = Object.entries(inner).map(([key, item]) => ` ${toKebab(key)}=${kdlValue(item)}`);
    return [line(head + properties.join(""))];
  }
  return [line(`${head} {`), ...kdlNodes(inner, `${indent}  `, isSchema), `${indent}}\n`];
}

const kdlName = (name: string) => (/^[A-Za-z_][\w-]*$/.test(name) ? name : kdlValue(name));

function kdlValue(value: unknown): string {
  if (typeof value === "boolean" || value === null) return `#${value}`;
  if (typeof value === "number") return String(value);
  return `"${String(value).replace(/[\\"\p{Cc}\u2028\u2029\ufeff\p{Bidi_Control}]/gu, escaped)}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
};
const escaped = (char: string) => ESCAPES[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`;
