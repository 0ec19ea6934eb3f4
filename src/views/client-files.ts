import type { ClientEntryFacts, ClientFacts } from "../model/client-facts.ts";
import { visible } from "../model/visible.ts";
import { type Paint, painter, type Screen } from "./screen.ts";
import { displayWidth, padEnd, wrap, wrapLines } from "./width.ts";

/** The clients of this machine, each with its file and what is in it, with a newline at the end. */
export function clientFilesView(clients: readonly ClientFacts[], screen: Screen): string {
  if (clients.length === 0)
    return `${wrap("No MCP clients were found. docs/clients.md lists those that xy knows.", screen.width)}\n`;
  return wrapLines(clients.map((client) => clientText(client, screen)).join("\n"), screen.width);
}

function clientText(client: ClientFacts, screen: Screen): string {
  const paint = painter(screen);
  const shorten = screen.shorten ?? ((path: string) => path);
  const { title, scope, file, exists, problem, reload, entries, missing } = client;
  const where = `${shorten(file)}${scope === "project" ? " (of the project)" : ""}`;
  const lines = [`${paint("bold", visible(title))}  ${visible(where)}`];
  if (problem !== null) lines.push(`  ${paint("red", visible(problem))}`);
  else if (!exists) lines.push("  there is no file yet");
  else if (entries.length === 0) lines.push("  it has no servers");
  lines.push(...entryLines(entries, paint));
  for (const { name, project, server } of missing)
    lines.push(`  ${paint("yellow", visible(`${name} is gone: xy wrote it for ${project}/${server}`))}`);
  if (entries.some(({ owner }) => owner !== null))
    lines.push(`  ${paint("dim", visible(`after a change: ${reload}`))}`);
  return `${lines.join("\n")}\n`;
}

function entryLines(entries: readonly ClientEntryFacts[], paint: Paint): string[] {
  const width = (of: (entry: ClientEntryFacts) => string) =>
    Math.max(0, ...entries.map((entry) => displayWidth(visible(of(entry)))));
  const widths = { name: width(({ name }) => name), to: width(target) };
  return entries.map((entry) => {
    const { owner, changed, off } = entry;
    const whose = owner === null ? "not xy's" : `for ${owner.project}/${owner.server}`;
    const more = [...(changed ? ["changed since xy wrote it"] : []), ...(off ? ["switched off"] : [])];
    const words = visible([whose, ...more].join(", "));
    const shown = paint(changed ? "yellow" : "dim", words);
    return `  ${padEnd(visible(entry.name), widths.name)}  ${padEnd(visible(target(entry)), widths.to)}  ${shown}`;
  });
}

const target = ({ to }: ClientEntryFacts) => to ?? "-";
