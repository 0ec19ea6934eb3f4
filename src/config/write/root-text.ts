import { kdlNodes, kebabSettings, remarkLines, type ServerFormat, settled } from "./server-text.ts";

/** A server to be written into a root's own file. */
export interface WrittenServer {
  readonly name: string;
  /** In camelCase. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Comments above it; JSON has none. */
  readonly remarks: readonly string[];
}

/** The text of `xy.config.kdl`, `.yaml` or `.json` with further servers in it. What is there stays as it is. */
export async function withServers(
  text: string,
  format: ServerFormat,
  servers: readonly WrittenServer[],
): Promise<string> {
  if (format === "kdl") return text + servers.map((server) => kdlServer(server, endOf(text))).join("");
  return format === "json" ? inJson(text, servers) : inYaml(text, servers);
}

/** A blank line before it, whatever the text ends with. */
const endOf = (text: string) => (text === "" || text.endsWith("\n") ? "\n" : "\n\n");

function kdlServer({ name, settings, remarks }: WrittenServer, before: string): string {
  const nodes = kdlNodes(settled(settings), "  ", true);
  return [before, ...remarkLines(remarks, "//"), `server "${name}" {\n`, ...nodes, "}\n"].join("");
}

async function inJson(text: string, servers: readonly WrittenServer[]): Promise<string> {
  const { applyEdits, modify } = await import("jsonc-parser");
  const unit = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const formattingOptions = {
    insertSpaces: unit[0] === " ",
    tabSize: unit[0] === " " ? unit.length : 1,
    eol,
  };
  return servers.reduce(
    (done, { name, settings }) =>
      applyEdits(done, modify(done, ["servers", name], settled(settings), { formattingOptions })),
    text.trim() === "" ? "{}\n" : text,
  );
}

/** As lines below `servers:`, whose indentation they get; the library that reads YAML would write all of it anew. */
async function inYaml(text: string, servers: readonly WrittenServer[]): Promise<string> {
  const { isMap, parseDocument, stringify } = await import("yaml");
  const document = parseDocument(text);
  const map = document.get("servers", true);
  const items = isMap(map) && map.flow !== true ? map.items : [];
  const first = (items[0]?.key as { readonly range?: readonly number[] } | undefined)?.range?.[0];
  const isEmpty = map === undefined || map === null || (isMap(map) && map.items.length === 0);
  if (!isEmpty && first === undefined)
    throw new Error("its servers are on one line: write them on lines of their own");
  const indent = first === undefined ? "  " : " ".repeat(first - (text.lastIndexOf("\n", first - 1) + 1));
  const lines = servers.flatMap(({ name, settings, remarks }) => [
    ...remarkLines(remarks, "#"),
    ...stringify({ [name]: kebabSettings(settled(settings)) }, { lineWidth: 0 })
      .trimEnd()
      .split("\n")
      .map((line) => `${line}\n`),
  ]);
  const block = lines.map((line) => (line === "\n" ? line : indent + line)).join("");
  if (first === undefined) {
    const key = document.has("servers") ? undefined : "servers:\n";
    if (key === undefined) throw new Error("its servers are empty: remove that line");
    return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${key}${block}`;
  }
  // Behind the last server, before whatever follows it.
  const last = items.at(-1)?.value as { readonly range?: readonly number[] } | null | undefined;
  const end = last?.range?.[1] ?? text.length;
  const at = end > 0 && text[end - 1] === "\n" ? end : text.indexOf("\n", end) + 1 || text.length;
  const before = text.slice(0, at);
  return `${before}${before.endsWith("\n") ? "" : "\n"}${block}${text.slice(at)}`;
}
