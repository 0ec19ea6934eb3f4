import type { ClientChange, EntryChange } from "../model/client-plan.ts";
import { clientLabel } from "../model/client-plan.ts";
import { isObject } from "../model/object.ts";
import { visible } from "../model/visible.ts";
import { valueLines } from "./field-diff.ts";
import type { Line } from "./line-diff.ts";
import type { Screen } from "./screen.ts";
import { commandLine } from "./values.ts";

/** The change of a client's file in a plan: the words after its name, and the lines below. */
export function clientText(
  { change, file, entries, others }: ClientChange,
  { shorten = (path) => path }: Screen,
  room: number,
): { readonly heading: string; readonly lines: readonly Line[] } {
  const what =
    change === "remove" ? "will lose its entries" : change === "add" ? "will be set up" : "will be changed";
  const lines = entries.flatMap((entry) => entryLines(entry, room));
  const rest = others.length === 0 ? [] : [{ depth: 0, sign: "", text: othersText(others) } as const];
  return { heading: `${what} (${visible(shorten(file))})`, lines: [...lines, ...rest] };
}

/** Names in one line. */
const MOST_NAMES = 5;

function othersText(others: readonly string[]): string {
  const more = others.length > MOST_NAMES ? `, and ${others.length - MOST_NAMES} more` : "";
  return `(not xy's, left alone: ${others.slice(0, MOST_NAMES).join(", ")}${more})`;
}

function entryLines({ name, change, fields, value, drift, adopted }: EntryChange, room: number): Line[] {
  switch (change) {
    case "none":
      return [];
    case "add":
      return [{ depth: 0, sign: "+", text: `${name}: ${valueText(value)}` }];
    case "remove":
      return [{ depth: 0, sign: "-", text: drift === "removed" ? `${name} (is gone already)` : name }];
    case "update": {
      const whose = adopted ? " (taken over)" : "";
      if (fields.length === 0) return [{ depth: 0, sign: "~", text: `${name}${whose}` }];
      return fields.flatMap(({ field, from, to }): Line[] => {
        const label = `${name}: ${field}`;
        if (from !== undefined && to !== undefined)
          return valueLines(label, visible(word(from)), `${visible(word(to))}${whose}`, room);
        const text = from === undefined ? word(to) : `${word(from)} -> gone`;
        return [{ depth: 0, sign: "~", text: `${label} ${text}${whose}` }];
      });
    }
  }
}

/** Where an entry leads: its URL, or else the program that it starts. */
function valueText(value: unknown): string {
  if (!isObject(value)) return word(value);
  const url = Object.values(value).find((text) => typeof text === "string" && /^https?:/.test(text));
  if (typeof url === "string") return url;
  const [program = "", ...words] = [value.command ?? value.cmd, value.args ?? []].flat();
  return commandLine(word(program), words.map(word));
}

const word = (value: unknown): string =>
  typeof value === "string"
    ? value
    : Array.isArray(value)
      ? value.map(word).join(" ")
      : JSON.stringify(value);

/** What somebody else has done to entries of xy's. */
export function clientDrift({ client, entries }: ClientChange): string[] {
  return entries.flatMap(({ name, change, drift }) => {
    if (drift === undefined || (change === "remove" && drift === "removed")) return [];
    const outcome = change === "remove" ? "will be removed" : "will be restored";
    return [`${clientLabel(client)}: ${name} was ${drift} outside xy, and ${outcome}`];
  });
}
