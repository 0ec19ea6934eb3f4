import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import type { Plan, Unreachable } from "../model/plan.ts";
import { isEmpty, type PlanSummary, summary } from "../model/summary.ts";
import { visible } from "../model/visible.ts";
import { planBlocks } from "./plan-blocks.ts";
import { isAiling, planNotes } from "./plan-notes.ts";
import { type Paint, painter, type Screen } from "./screen.ts";
import { wrap, wrapLines } from "./width.ts";

/** Columns before what goes on from the line above, below a remark. */
const REMARK = 8;

/** A plan for people, ending in the line of totals, with a newline at its end. */
export function planView(plan: Plan, screen: Screen): string {
  const paint = painter(screen);
  const blocks = planBlocks(plan, screen, "will");
  const notes = noteLines(plan, screen, paint);
  const problems = [
    ...(plan.unreachable ?? []).map((lost) => unreachableLine(lost, screen, paint)),
    ...together(plan.diagnostics).map((d) => diagnosticLine(d, screen, paint)),
  ];
  const sections = [...blocks, notes, problems, [wrapLines(totals(plan, paint), screen.width)]].filter(
    (lines) => lines.length > 0,
  );
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function noteLines(plan: Plan, screen: Screen, paint: Paint): string[] {
  const notes = planNotes(plan, screen.now).map(({ title, text }) =>
    wrapLines(`${paint("cyan", title)} ${visible(text)}`, screen.width),
  );
  return [...rolledBackLine(plan, screen), ...notes];
}

function rolledBackLine({ rolledBack }: Plan, { width }: Screen): string[] {
  if (!rolledBack) return [];
  const { generation, of } = rolledBack;
  const text = `Generation ${generation}, a rollback to ${of}, is active. An apply returns to the configuration.`;
  return [wrap(text, width)];
}

/** Says once what is the same for several servers. */
function together(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ server: _, ...rest }: Diagnostic) => JSON.stringify(rest);
  return [...new Set(diagnostics.map(key))].flatMap((each) => {
    const group = diagnostics.filter((one) => key(one) === each);
    const servers = [...new Set(group.flatMap(({ server }) => server ?? []))];
    const [first] = group;
    return first === undefined
      ? []
      : [{ ...first, ...(servers.length > 0 ? { server: names(servers) } : {}) }];
  });
}

function unreachableLine({ message, servers }: Unreachable, screen: Screen, paint: Paint): string {
  const left = servers.length === 0 ? "" : ` (left as they are: ${names(servers)})`;
  return remarkLine("error", visible(`${message}${left}`), screen, paint);
}

function diagnosticLine(diagnostic: Diagnostic, screen: Screen, paint: Paint): string {
  const text = formatDiagnostic(diagnostic, screen.shorten);
  return remarkLine(diagnostic.severity, text, screen, paint);
}

/** Broken between words, where a terminal would break it anywhere. */
function remarkLine(severity: Diagnostic["severity"], text: string, { width }: Screen, paint: Paint): string {
  const title = `${severity}:`;
  const style = severity === "error" ? "red" : "yellow";
  // Text from a file must not look like the next line of the plan.
  const lines = wrap(`${title} ${text}`, width && width - REMARK).replaceAll("\n", `\n${" ".repeat(REMARK)}`);
  return paint(style, title) + lines.slice(title.length);
}

function totals(plan: Plan, paint: Paint): string {
  const found = summary(plan);
  if (isEmpty(plan) && plan.unreachable && plan.changes.length + plan.actions.length === 0)
    return paint("bold", "Nothing can be planned.");
  if (isEmpty(plan))
    return `${paint("bold", "No changes.")} ${matching(plan, found)}${butNotWell(plan, found)}`;
  const counts = [
    count(found.add, "to add"),
    count(found.change, "to change"),
    count(found.remove, "to remove"),
  ];
  return `${paint("bold", "Plan:")} ${counts.join(", ")}.`;
}

function butNotWell({ changes }: Plan, { waiting }: PlanSummary): string {
  const ailing = changes.filter(isAiling).map(({ server }) => server);
  const parts = [
    ...(waiting.length === 0 ? [] : [`waiting: ${names(waiting)}`]),
    ...(ailing.length === 0 ? [] : [`not ready: ${names(ailing)}`]),
  ];
  return parts.length === 0 ? "" : ` But not all of them are up: ${parts.join("; ")}.`;
}

/** Names in one line; each has its block above. */
const MOST_NAMES = 20;

function count(servers: readonly string[], what: string): string {
  return servers.length === 0 ? `0 ${what}` : `${servers.length} ${what} (${names(servers)})`;
}

function names(servers: readonly string[]): string {
  const more = servers.length > MOST_NAMES ? `, and ${servers.length - MOST_NAMES} more` : "";
  return visible(`${servers.slice(0, MOST_NAMES).join(", ")}${more}`);
}

/** Mentions actions only if there are no servers, and clients if there are some. */
function matching({ changes, actions, clients = [] }: Plan, found: PlanSummary): string {
  const [what, number] =
    changes.length === 0 && actions.length > 0
      ? ["action", actions.length]
      : ["server", found.matching.length];
  const ignored = found.ignored.length === 0 ? "" : visible(` Ignored: ${found.ignored.join(", ")}.`);
  const files = clients.filter(({ fault }) => fault === undefined).length;
  const total = files === 0 ? "" : ` and ${files} client${files === 1 ? "" : "s"}`;
  const verb = number === 1 && files === 0 ? "matches" : "match";
  return `${number} ${what}${number === 1 ? "" : "s"}${total} ${verb} the configuration.${ignored}`;
}
