import { parse, stringify, TomlError } from "smol-toml";
import { isObject } from "../../model/object.ts";
import type { Entry } from "../types.ts";
import { Fault, type Format, lineEnd, oneByOne, splice } from "./format.ts";
import { type Table, tablesIn } from "./toml-tables.ts";

/** TOML: an entry is a table of its own, with those below it. The parser checks; the bytes of other tables are not touched. */
export const toml: Format = {
  open(text) {
    const content = parsed(text);
    return {
      text,
      content,
      change({ path }, changes) {
        const named = [...changes.remove, ...changes.set.map(({ name }) => name)];
        for (const name of named) expectTables(text, content, [...path, name]);
        return oneByOne(text, changes, {
          remove: (at, name) => without(at, ownTables(at, path, name), true),
          set: (at, entry) => set(at, path, entry),
        });
      },
    };
  },
};

function parsed(text: string): unknown {
  try {
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message] = error.message.replace("Invalid TOML document: ", "").split("\n");
    throw new Fault(offsetOf(text, error.line, error.column), `this is not TOML: ${message}`);
  }
}

function set(text: string, path: readonly string[], entry: Entry): string {
  const [first, ...others] = ownTables(text, path, entry.name);
  const added = tableText(text, path, entry);
  if (first === undefined) return atEnd(text, added);
  const end = text[first.end - 1] === "\n" ? lineEnd(text) : "";
  return splice(without(text, others), first.start, first.end, added + end);
}

/** The tables of an entry, in the order of the text. */
function ownTables(text: string, path: readonly string[], name: string): Table[] {
  const keys = [...path, name];
  return tablesIn(text).filter((table) => keys.every((key, i) => table.keys[i] === key));
}

/** An entry may be written in other ways, too: those are left alone. */
function expectTables(text: string, content: unknown, keys: readonly string[]): void {
  const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), content);
  const name = keys.at(-1) ?? "";
  if (value === undefined || ownTables(text, keys.slice(0, -1), name).length > 0) return;
  const message = `${keys.join(".")} is not a table of its own: write it as [${keys.join(".")}]`;
  throw new Fault(Math.max(0, text.indexOf(name)), message);
}

/** From the last to the first. With an entry goes the empty line that was put before it. */
function without(text: string, tables: readonly Table[], isLast = false): string {
  return tables.toReversed().reduce((rest, { start, end }, i) => {
    const isFirst = isLast && i === tables.length - 1;
    const empty = isFirst ? (/(?<=^|\n)\r?\n$/.exec(rest.slice(0, start))?.[0].length ?? 0) : 0;
    return splice(rest, start - empty, end, "");
  }, text);
}

function atEnd(text: string, added: string): string {
  const end = lineEnd(text);
  if (text === "") return added + end;
  return `${text}${text.endsWith("\n") ? "" : end}${end}${added}${end}`;
}

/** Without the end of its last line. */
function tableText(text: string, path: readonly string[], { name, value }: Entry): string {
  const fields = Object.entries(isObject(value) ? value : {});
  const lines = fields.map(([key, each]) => `${keyText(key)} = ${inline(each)}`);
  return [`[${[...path, name].map(keyText).join(".")}]`, ...lines].join(lineEnd(text));
}

const keyText = (key: string) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key));

/** A value on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isObject(value)) return stringify({ a: value }).trim().slice("a = ".length);
  const pairs = Object.entries(value).map(([key, each]) => `${keyText(key)} = ${inline(each)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = text.indexOf("\n", start) + 1;
  return start + column - 1;
}
