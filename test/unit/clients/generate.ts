import type { Shape } from "../../../src/clients/types.ts";

/** Client files as people and programs leave them, made by chance. */

export type Chance = () => number;

/** mulberry32: small, and the same everywhere for the same seed. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (chance: Chance, most: number) => Math.floor(chance() * most);
export const oneOf = <T>(chance: Chance, all: readonly T[]): T => all[below(chance, all.length)] as T;

export interface Generated {
  readonly text: string;
  /** What somebody has written: each piece has to stay as it is. */
  readonly pieces: readonly string[];
}

const WORDS = ["theme", "editor.fontSize", "a b", "ünïcode", "numStartups", "projects", "x-y", "tips"];
const TEXTS = [
  "",
  "dark",
  "a // no comment",
  "# none",
  "[mcp_servers.x]",
  'say "hi"',
  "C:\\x",
  "it's",
  "{}",
  "1.0",
  "null",
];
export const FOREIGN = ["github", "fs-server", "context_7", "db"];

interface Style {
  readonly chance: Chance;
  readonly indent: string;
  readonly end: string;
  readonly comments: boolean;
  readonly pieces: string[];
}

function styleOf(chance: Chance, indents: readonly string[]): Style {
  const end = oneOf(chance, ["\n", "\n", "\r\n"]);
  return { chance, end, indent: oneOf(chance, indents), comments: chance() < 0.5, pieces: [] };
}

const names = (chance: Chance, all: readonly string[], most: number) =>
  all.filter(() => chance() < 0.5).slice(0, below(chance, most + 1));

const comment = ({ chance }: Style, mark: string) =>
  `${mark} ${oneOf(chance, ["mine", "{", "]", '"', "notes:", "url = 1"])}`;

/** A JSON file, with or without what leads to the entries. */
export function generateJson(chance: Chance, shape: Shape): Generated {
  const style = styleOf(chance, ["  ", "    ", "\t"]);
  if (chance() < 0.05) return { text: oneOf(chance, ["", "\n", "{}", "{ }", "{\n}\n", "{}\n"]), pieces: [] };
  const isOneLine = chance() < 0.15;
  const body = jsonRoot(style, shape.path, isOneLine, "");
  const mark = chance() < 0.1 ? "\ufeff" : "";
  return { text: mark + body + oneOf(chance, ["", style.end, style.end]), pieces: style.pieces };
}

function jsonRoot(style: Style, path: readonly string[], isOneLine: boolean, indent: string): string {
  const { chance } = style;
  const inner = indent + style.indent;
  const [key, ...rest] = path;
  const keys = names(chance, key === undefined ? FOREIGN : WORDS, 4);
  const members = keys.map((each) => jsonMember(style, each, () => jsonValue(style, 2, inner, isOneLine)));
  if (key !== undefined && chance() < 0.75) {
    const holder = `${JSON.stringify(key)}: ${jsonRoot(style, rest, isOneLine, inner)}`;
    members.splice(below(chance, members.length + 1), 0, holder);
  }
  return jsonObject(style, members, isOneLine, indent);
}

function jsonMember(style: Style, key: string, value: () => string): string {
  const text = `${JSON.stringify(key)}:${oneOf(style.chance, [" ", " ", ""])}${value()}`;
  style.pieces.push(text);
  return text;
}

function jsonObject(style: Style, members: readonly string[], isOneLine: boolean, indent: string): string {
  const { chance, end, comments } = style;
  const say = () => comments && chance() < 0.3;
  if (isOneLine) return members.length === 0 ? "{}" : `{${members.join(oneOf(chance, [",", ", "]))}}`;
  if (members.length === 0)
    return oneOf(chance, [
      "{}",
      "{}",
      `{${end}${indent}}`,
      comments ? `{${end}${indent}${comment(style, "//")}${end}${indent}}` : "{}",
    ]);
  const inner = indent + style.indent;
  const hasComma = comments && chance() < 0.2;
  const lines = members.map((member, i) => {
    const before = say() ? `${inner}${comment(style, "//")}${end}` : "";
    const comma = i < members.length - 1 || hasComma ? `${say() ? " /* , */" : ""},` : "";
    const after = say() ? ` ${comment(style, "//")}` : "";
    return `${before}${inner}${member}${comma}${after}${end}${chance() < 0.1 ? end : ""}`;
  });
  const last = say() ? `${inner}${comment(style, "//")}${end}` : "";
  return `{${end}${lines.join("")}${last}${indent}}`;
}

function jsonValue(style: Style, depth: number, indent: string, isOneLine: boolean): string {
  const { chance } = style;
  const kind = below(chance, depth > 0 ? 7 : 4);
  if (kind === 0) return JSON.stringify(oneOf(chance, TEXTS));
  if (kind === 1) return oneOf(chance, ["0", "-1.50", "1e3", "12345678901234567890"]);
  if (kind === 2) return oneOf(chance, ["true", "null", "[]", "{}"]);
  if (kind === 3) return `[${JSON.stringify(oneOf(chance, TEXTS))}, ${below(chance, 9)} ]`;
  const members = names(chance, WORDS, 2).map(
    (key) => `${JSON.stringify(key)}: ${jsonValue(style, depth - 1, indent + style.indent, isOneLine)}`,
  );
  return jsonObject(style, members, isOneLine, indent);
}

/** A YAML file. */
export function generateYaml(chance: Chance, shape: Shape): Generated {
  const style = styleOf(chance, ["  ", "    ", "  "]);
  if (chance() < 0.05)
    return { text: oneOf(chance, ["", "\n", "# nothing yet\n", "---\n", "{}\n"]), pieces: [] };
  const blocks = names(chance, WORDS, 3).map((key) => yamlPair(style, key, "", 2));
  const pieces = [...blocks];
  const [key = ""] = shape.path;
  const holder = chance() < 0.75 ? yamlHolder(style, key, shape, pieces) : undefined;
  const at = below(chance, blocks.length + 1);
  const all = holder === undefined ? blocks : blocks.toSpliced(at, 0, holder.text);
  const ordered = holder === undefined ? blocks : blocks.toSpliced(at, 0, ...holder.pieces);
  const body = (style.comments ? `# head${style.end}` : "") + all.join("");
  const text = chance() < 0.1 ? body.trimEnd() : body;
  return { text, pieces: ordered.map((piece) => piece.trimEnd()) };
}

function yamlHolder(
  style: Style,
  key: string,
  shape: Shape,
  _: readonly string[],
): { text: string; pieces: string[] } {
  const { chance, end, indent } = style;
  const isList = shape.holds === "list";
  const kind = chance();
  if (kind < 0.1) return { text: `${key}:${style.comments ? " # none" : ""}${end}`, pieces: [] };
  if (kind < 0.25) {
    const flow = names(chance, FOREIGN, 2).map((name) =>
      isList ? `{name: ${name}, url: "x"}` : `${name}: {url: x}`,
    );
    return {
      text: `${key}: ${isList ? "[" : "{"}${flow.join(", ")}${isList ? "]" : "}"}${end}`,
      pieces: flow,
    };
  }
  const own = isList && chance() < 0.5 ? "" : indent;
  const found = names(chance, FOREIGN, 3);
  const items = (found.length === 0 ? ["db"] : found).map((name) => {
    const before = style.comments && chance() < 0.4 ? `${own}${comment(style, "#")}${end}` : "";
    const after = chance() < 0.15 ? end : "";
    if (!isList) return before + yamlPair(style, name, own, 1, true) + after;
    return `${before}${own}- name: ${name}${end}${yamlPair(style, "url", `${own}  `, 1)}${after}`;
  });
  return { text: `${key}:${end}${items.join("")}`, pieces: items };
}

function yamlPair(style: Style, key: string, indent: string, depth: number, isMap = false): string {
  const { chance, end, comments } = style;
  const note = comments && chance() < 0.3 ? ` ${comment(style, "#")}` : "";
  const word = /^[\w.-]+$/.test(key) ? key : JSON.stringify(key);
  const kind = isMap ? 5 : below(chance, depth > 0 ? 7 : 3);
  const inner = indent + style.indent;
  if (kind === 0) return `${indent}${word}: ${JSON.stringify(oneOf(chance, TEXTS))}${note}${end}`;
  if (kind === 1)
    return `${indent}${word}: ${oneOf(chance, ["1", "true", "~", "plain text", "[a, 'b']", "{a: 1, b: }"])}${note}${end}`;
  if (kind === 2)
    return `${indent}${word}: ${oneOf(chance, ["|", ">-"])}${end}${inner}text${end}${inner}  more: # no comment${end}`;
  if (kind === 3) return `${indent}${word}:${note}${end}${inner}- a${end}${inner}- b: 1${end}`;
  if (kind === 4) return `${indent}${word}: '''quoted'''${end}`;
  const members = [...names(chance, WORDS, 2), "last"].map((each) => yamlPair(style, each, inner, depth - 1));
  return `${indent}${word}:${note}${end}${members.join("")}`;
}

/** A TOML file. */
export function generateToml(chance: Chance, { path }: Shape): Generated {
  const style = styleOf(chance, [""]);
  const { end, comments } = style;
  if (chance() < 0.05) return { text: oneOf(chance, ["", "\n", "# nothing yet\n", "a = 1"]), pieces: [] };
  const note = () => (comments && chance() < 0.3 ? ` ${comment(style, "#")}` : "");
  const fields = (most: number) =>
    names(chance, ["model", "approval_policy", '"a b"', "n"], most).map(
      (key) => `${key} = ${tomlValue(style)}${note()}${end}`,
    );
  const blocks: string[] = [fields(3).join("")];
  for (const name of names(chance, ["tui", "[profiles]", "projects.'/x]'", 'a . "b.c"'], 3))
    blocks.push(`${note().trimStart()}${end}[${name}]${note()}${end}${fields(2).join("")}`);
  for (const name of names(chance, FOREIGN, 3)) {
    const head = `[${path.join(".")}.${oneOf(chance, [name, JSON.stringify(name)])}]`;
    blocks.push(
      `${head}${note()}${end}${fields(2).join("")}${chance() < 0.3 ? `${end}[${path.join(".")}.${name}.env]${end}A = "b"${end}` : ""}`,
    );
  }
  const body = blocks.map((block) => block + (chance() < 0.5 ? end : "")).join("");
  const text = chance() < 0.15 ? body.trimEnd() : body;
  return {
    text: `${chance() < 0.05 ? "\ufeff" : ""}${text}`,
    pieces: blocks.map((block) => block.trimEnd()),
  };
}

function tomlValue({ chance, end }: Style): string {
  return oneOf(chance, [
    '"gpt"',
    "'C:\\x'",
    "1_000",
    "2026-11-29T07:00:00Z",
    "inf",
    `"""${end}[mcp_servers.fake]${end}url = "x" \\""" ""y"""""`,
    `'''${end}[mcp_servers.fake]${end}'''`,
    `[ # list${end}  "a", ["]"],${end}]`,
    '{ a = 1, b = "}" }',
    "0x1F",
  ]);
}
