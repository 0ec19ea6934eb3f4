import { basename, extname } from "node:path";
import { clients } from "./kinds/clients.ts";
import { compose } from "./kinds/compose.ts";
import type { Kind } from "./kinds/kind.ts";
import { launchd } from "./kinds/launchd.ts";
import { pm2 } from "./kinds/pm2.ts";
import { processCompose } from "./kinds/process-compose.ts";
import { procfile } from "./kinds/procfile.ts";
import { supervisord } from "./kinds/supervisord.ts";
import { systemd } from "./kinds/systemd.ts";
import { parseIni } from "./parse/ini.ts";
import { parseJson } from "./parse/json.ts";
import { Unreadable } from "./parse/lines.ts";
import { parsePlist } from "./parse/plist.ts";
import { parseProcfile } from "./parse/procfile.ts";
import { parseToml } from "./parse/toml.ts";
import { parseUnit } from "./parse/unit.ts";
import { parseYaml } from "./parse/yaml.ts";
import { type Part, plain } from "./part.ts";

/** In the order in which they are asked: those that a text gives away by itself come first. */
export const KINDS: readonly Kind[] = [
  launchd,
  systemd,
  supervisord,
  procfile,
  clients,
  pm2,
  processCompose,
  compose,
];
const OF_TEXT = new Set<Kind["format"]>(["plist", "unit", "ini", "procfile"]);

/** Which tool a text is of, and its content. Throws {@link Unreadable}. `id`: the tool, where a person has said it. */
export async function detected(file: string, text: string, id?: string): Promise<{ kind: Kind; root: Part }> {
  const name = basename(file);
  const said = KINDS.find((kind) => kind.id === id);
  const byText = said ?? KINDS.find((kind) => OF_TEXT.has(kind.format) && kind.fits(name, undefined, text));
  if (byText && OF_TEXT.has(byText.format)) return { kind: byText, root: textOf(byText, text) };
  const root = await dataOf(name, text);
  const value = plain(root);
  const kind = said ?? KINDS.find((one) => !OF_TEXT.has(one.format) && one.fits(name, value, text));
  if (kind) return { kind, root };
  const isProcfile =
    typeof value !== "object" || /^(?:\s*(?:#.*)?\n)*[A-Za-z0-9_-]+:[ \t]+\S+[ \t]+\S/.test(text);
  if (isProcfile && extname(name) === "") return { kind: procfile, root: parseProcfile(text) };
  throw new Unreadable(1, "it is of no tool that xy knows");
}

function textOf({ format }: Kind, text: string): Part {
  switch (format) {
    case "plist":
      return parsePlist(text);
    case "unit":
      return parseUnit(text);
    case "ini":
      return parseIni(text);
    default:
      return parseProcfile(text);
  }
}

/** TOML by the file's name; else JSON if it begins as that, else YAML. */
async function dataOf(name: string, text: string): Promise<Part> {
  if (extname(name) === ".toml") return parseToml(text);
  const isJson = /^\uFEFF?\s*(?:\/\/|\/\*|[[{])/.test(text) && !/\.ya?ml$/.test(name);
  return isJson ? parseJson(text.replace(/^\uFEFF/, "")) : parseYaml(text.replace(/^\uFEFF/, ""));
}
