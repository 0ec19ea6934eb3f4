import { diffArrays } from "diff";
import type { FieldChange } from "../model/field-change.ts";
import type { EnvValue } from "../model/spec-parts.ts";
import { quote } from "../model/text.ts";
import { visible } from "../model/visible.ts";
import { difference } from "./difference.ts";
import { type Line, lineDiff } from "./line-diff.ts";
import { fieldLabel, fieldValue, lineCount, scriptLines } from "./values.ts";
import { displayWidth } from "./width.ts";

type SecretValue = Exclude<EnvValue, string>;

/** One field's change in one line of at most `room` columns, else in several. */
export function fieldLines(change: FieldChange, room: number): Line[] {
  const { field, from, to } = change;
  const label = fieldLabel(field);
  if (from === undefined) return [{ depth: 0, sign: "+", text: `${label}: ${fieldValue(field, to)}` }];
  if (to === undefined) return [{ depth: 0, sign: "-", text: `${label}: ${fieldValue(field, from)}` }];
  if (field === "script") return scriptChange(from as string | null, to as string | null);
  if (isLongList(from) || isLongList(to))
    return listLines(label, (from as string[]).map(quote), (to as string[]).map(quote));
  if (isSecret(from) && isSecret(to))
    return [{ depth: 0, sign: "~", text: `${label}: ${secretChange(from, to)}` }];
  const lines = valueLines(`${label}:`, fieldValue(field, from), fieldValue(field, to), room);
  if (lines.length === 1 || typeof from !== "string" || typeof to !== "string") return lines;
  if (isPaths(from) && isPaths(to))
    return listLines(label, from.split(":").map(visible), to.split(":").map(visible));
  return isText(from) && isText(to) ? textLines(label, from, to) : lines;
}

/** Old and new in one line, with what nobody would see made visible; else in a line each. */
export function valueLines(label: string, from: string, to: string, room: number): Line[] {
  const shown = difference(from, to);
  const whole = `${label} ${shown.from} -> ${shown.to}`;
  if (displayWidth(whole) <= room) return [{ depth: 0, sign: "~", text: whole }];
  return [
    { depth: 0, sign: "~", text: label },
    { depth: 1, sign: "-", text: from },
    { depth: 1, sign: "+", text: to },
  ];
}

/** Folders, as PATH has them. */
const isPaths = (value: string) =>
  value.includes(":") && value.split(":").every((path) => path === "" || /^[/~.]/.test(path));

/** Several lines. */
const isText = (value: string) => value.trimEnd().includes("\n");

function textLines(label: string, from: string, to: string): Line[] {
  return [{ depth: 0, sign: "~", text: `${label}:` }, ...lineDiff(from, to)];
}

/** Line by line; all lines of one that comes or goes. */
function scriptChange(from: string | null, to: string | null): Line[] {
  if (from === null || to === null) {
    const [sign, text] = from === null ? (["+", to ?? ""] as const) : (["-", from] as const);
    return [
      { depth: 0, sign, text: `script: ${lineCount(text)}` },
      ...scriptLines(text).map((line): Line => ({ depth: 1, sign, text: line })),
    ];
  }
  // That neither ends in a line break is not worth a remark.
  const end = from.endsWith("\n") || to.endsWith("\n") ? "" : "\n";
  return [{ depth: 0, sign: "~", text: "script:" }, ...lineDiff(from + end, to + end)];
}

/** Where a secret comes from, and whether its value is another one. */
function secretChange(from: SecretValue, to: SecretValue): string {
  const [a, b] = [fieldValue("env.", from), fieldValue("env.", to)];
  if (a === b) return `${a} (changed)`;
  return from.hmac === to.hmac && to.hmac !== "" ? `${a} -> ${b} (same value)` : `${a} -> ${b}`;
}

function isSecret(value: unknown): value is SecretValue {
  return typeof value === "object" && value !== null && "secret" in value;
}

function isLongList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === "string");
}

/** Element by element; of what stays, only the neighbours of a change are shown. */
function listLines(label: string, from: readonly string[], to: readonly string[]): Line[] {
  const parts = diffArrays([...from], [...to]);
  const lines = parts.flatMap(({ value, added, removed }, i): Line[] => {
    const sign = added ? "+" : removed ? "-" : "";
    const kept = sign === "" ? abridge(value, i === 0, i === parts.length - 1) : value;
    return kept.map((item) => ({ depth: 1, sign, text: item }));
  });
  return [{ depth: 0, sign: "~", text: `${label}:` }, ...lines];
}

function abridge(items: readonly string[], first: boolean, last: boolean): readonly string[] {
  const head = first ? 0 : 1;
  const tail = last ? 0 : 1;
  const hidden = items.length - head - tail;
  if (hidden < 2) return items;
  return [...items.slice(0, head), `(${hidden} unchanged)`, ...items.slice(items.length - tail)];
}
