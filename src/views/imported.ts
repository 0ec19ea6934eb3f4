import { formatDiagnostic } from "../model/diagnostic.ts";
import type { ImportedServer, ImportReport, ImportSource } from "../model/imported.ts";
import { visible } from "../model/visible.ts";
import { wrapLines } from "./width.ts";

/** What an import found, what it wrote, and what it left out. `shorten`: how a path is shown. */
export function importText(
  report: ImportReport,
  shorten: (path: string) => string,
  width?: number | undefined,
): string {
  const { sources } = report;
  const shown = (path: string) => visible(shorten(path));
  const parts = sources.map((source) => sourceText(source, report, shown));
  return wrapLines([...parts, ...faultsText(report, shown), endText(report, shown)].join("\n\n"), width);
}

function sourceText(
  { file, what, servers, others, lost, stops }: ImportSource,
  report: ImportReport,
  shorten: (path: string) => string,
): string {
  const width = Math.max(0, ...servers.map(({ name }) => visible(name).length));
  const lines = servers.flatMap((server) => serverLines(server, width, report, shorten));
  const told = others.map(({ name, line, why }) => visible(`  - ${name} (line ${line}): ${why}`));
  const settings = lostLines(lost);
  return [
    `${shorten(file)}: ${visible(what)}`,
    ...lines,
    ...(servers.length + others.length === 0 ? ["  no server in it"] : []),
    ...told,
    ...(settings.length > 0 ? ["Not carried over:", ...settings] : []),
    ...(stops.length > 0 ? [`If it runs, stop it there before you apply: ${visible(stops.join("; "))}`] : []),
  ].join("\n");
}

/** A client may have hundreds of settings of its own: many with one reason are told in one line, and JSON has each. */
function lostLines(lost: ImportSource["lost"]): string[] {
  const byReason = new Map<string, ImportSource["lost"][number][]>();
  for (const one of lost) {
    const alike = byReason.get(one.why) ?? [];
    alike.push(one);
    byReason.set(one.why, alike);
  }
  return lost.flatMap((one) => {
    const alike = byReason.get(one.why) ?? [];
    if (alike.length <= MOST_OF_A_KIND) return visible(`  line ${one.line}  ${one.key}: ${one.why}`);
    if (alike[0] !== one) return [];
    const keys = alike.slice(0, 3).map(({ key }) => key);
    const more = `${keys.join(", ")}, and ${alike.length - keys.length} more`;
    return visible(`  lines ${one.line} to ${alike.at(-1)?.line}  ${more}: ${one.why}`);
  });
}

const MOST_OF_A_KIND = 10;

function serverLines(
  { name, file, state, runs, secrets, doubts }: ImportedServer,
  width: number,
  { dryRun, folder }: ImportReport,
  shorten: (path: string) => string,
): string[] {
  const isOfFolder = file.startsWith(`${folder}/`);
  const indent = " ".repeat(width + 4);
  const words = {
    new: `${dryRun ? "would write" : "wrote"} ${shorten(file)}`,
    same: `${shorten(file)} has it already`,
    "in-the-way": isOfFolder
      ? `not written: ${shorten(file)} is there already; move it away, or rename one of them`
      : `not written: ${shorten(file)} declares a server of this name already; rename one of them`,
  };
  return [
    `  ${state === "new" ? "+" : state === "same" ? "=" : "!"} ${visible(name).padEnd(width)}${cut(visible(runs.join(" ")))}`,
    `${indent}${words[state]}`,
    ...(secrets === undefined || state !== "new"
      ? []
      : [
          `${indent}values of ${visible(secrets.names.join(", "))} ${dryRun ? "would go" : "went"} into ${shorten(secrets.file)} (only you can read it)`,
        ]),
    ...doubts.map((doubt) => `${indent}it does not start by itself yet: ${visible(doubt)}`),
  ];
}

/** What keeps the configuration from being used. */
function faultsText({ problems, program }: ImportReport, shorten: (path: string) => string): string[] {
  const lines = problems.map((problem) => `  ${visible(formatDiagnostic(problem, shorten))}`);
  return [
    ...(lines.length > 0 ? [["The configuration is not valid as it is now:", ...lines].join("\n")] : []),
    ...(program === undefined
      ? []
      : [
          `${shorten(program)} is a program and was not run: \`xy check\` shows whether it has a server of the same name.`,
        ]),
  ];
}

const LONGEST = 60;
const cut = (text: string) => ` ${text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text}`;

function endText(
  { sources, dryRun, folder, problems }: ImportReport,
  shorten: (path: string) => string,
): string {
  const servers = sources.flatMap((source) => source.servers);
  const count = new Set(servers.filter(({ state }) => state === "new").map(({ name }) => name)).size;
  const what = count === 1 ? "1 server" : `${count} servers`;
  if (dryRun) return `Nothing was written. Without --dry-run, ${what} would be in ${shorten(folder)}.`;
  if (problems.length > 0) return "Next: correct that; then `xy plan` shows what would be started.";
  return count === 0
    ? "Nothing was written."
    : `Next: \`xy plan\` shows what would be started. The sources were not changed; what runs there goes on running.`;
}
