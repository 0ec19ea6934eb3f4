/** Writers of a configuration in each format, by rules of their own: not by those of the readers. */

type Value = unknown;
type Block = Readonly<Record<string, Value>>;

export function asJson(input: Value): string {
  return JSON.stringify(input, null, 2);
}

export function asTypeScript(input: Value): string {
  return `import { defineConfig } from "xyctl";\nexport default defineConfig(() => (${JSON.stringify(input, null, 2)} as const));\n`;
}

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const isBlock = (value: Value): value is Block =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** Keys under which people's own names stand. */
const NAMES = new Set(["env", "servers", "actions"]);

/** Characters that a text in double quotes cannot hold as they are, in KDL or YAML. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
const SPECIAL = /[\\"\x00-\x1f\x7f-\xa0\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

function quoted(text: string, escaped: (code: string) => string): string {
  return `"${text.replace(SPECIAL, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    return escaped(character.charCodeAt(0).toString(16));
  })}"`;
}

export function asYaml(input: Value): string {
  const text = (value: string) => quoted(value, (code) => `\\u${code.padStart(4, "0")}`);
  const write = (value: Value, indent: string, own: boolean): string => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value))
      return value.length === 0
        ? "[]"
        : value.map((item) => `\n${indent}- ${write(item, `${indent}  `, false).trimStart()}`).join("");
    if (!isBlock(value)) return String(value);
    const entries = Object.entries(value);
    if (entries.length === 0) return "{}";
    return entries
      .map(
        ([key, of]) =>
          `\n${indent}${own ? text(key) : kebab(key)}: ${write(of, `${indent}  `, NAMES.has(key) && !own)}`,
      )
      .join("");
  };
  return `${write(input, "", false).trimStart()}\n`;
}

const kdlText = (value: string) => quoted(value, (code) => `\\u{${code}}`);
const kdlValue = (value: Value) =>
  typeof value === "string" ? kdlText(value) : typeof value === "number" ? String(value) : `#${value}`;

export function asKdl(input: Value, indent = ""): string {
  return Object.entries(input as Block)
    .map(([key, value]) => kdlField(key, value, indent))
    .join("");
}

function kdlField(key: string, value: Value, indent: string): string {
  if (key === "servers" || key === "actions") {
    const node = key.slice(0, -1);
    return Object.entries(value as Block)
      .map(([name, one]) => `${indent}${node} ${kdlText(name)} {\n${asKdl(one, `${indent}  `)}${indent}}\n`)
      .join("");
  }
  if (key === "on") return (value as Block[]).map((one) => kdlOn(one, indent)).join("");
  if (key === "env") return kdlEnv(value as Block, indent);
  if (key === "dependsOn") return (value as Value[]).map((one) => kdlDependency(one, indent)).join("");
  const name = kebab(key);
  if (key === "mcp" && value === true) return `${indent}mcp\n`;
  if (Array.isArray(value)) return `${indent}${[name, ...value.map(kdlValue)].join(" ")}\n`;
  if (!isBlock(value)) return `${indent}${name} ${kdlValue(value)}\n`;
  if (isBlock(value.secret)) return kdlSecret(name, value, indent);
  const { type, cron = type, ...rest } = value;
  const head = cron === undefined ? name : `${name} ${kdlValue(cron)}`;
  return `${indent}${head} {\n${asKdl(rest, `${indent}  `)}${indent}}\n`;
}

/** One name of a machine is a property, several are a node. */
function kdlOn({ when, ...settings }: Block, indent: string): string {
  const entries = Object.entries(when as Block);
  const names = entries
    .filter(([, of]) => typeof of === "string")
    .map(([key, of]) => ` ${key}=${kdlText(of as string)}`);
  const lists = Object.fromEntries(entries.filter(([, of]) => typeof of !== "string"));
  const rest = Object.keys(lists).length > 0 ? { when: lists, ...settings } : settings;
  return `${indent}on${names.join("")} {\n${asKdl(rest, `${indent}  `)}${indent}}\n`;
}

function kdlEnv(env: Block, indent: string): string {
  const lines = Object.entries(env).map(([name, value]) =>
    isBlock(value)
      ? kdlSecret(name, value, `${indent}  `)
      : `${indent}  ${kdlText(name)} ${kdlValue(value)}\n`,
  );
  return `${indent}env {\n${lines.join("")}${indent}}\n`;
}

function kdlSecret(name: string, { secret }: Block, indent: string): string {
  const [[kind, of] = []] = Object.entries(secret as Block);
  return `${indent}${kdlText(name)} (${kind})${kdlValue(of)}\n`;
}

function kdlDependency(dependency: Value, indent: string): string {
  if (!isBlock(dependency)) return `${indent}depends-on ${kdlValue(dependency)}\n`;
  return `${indent}depends-on ${kdlValue(dependency.server)} condition=${kdlValue(dependency.condition)}\n`;
}
