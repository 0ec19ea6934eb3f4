import type { ActionSpec } from "../model/action.ts";
import { type ClientChange, clientLabel } from "../model/client-plan.ts";
import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import type { ActionChange, Change, Plan, Unreachable } from "../model/plan.ts";
import { actionLabel, isEmpty, type PlanSummary, summary } from "../model/summary.ts";
import { visible } from "../model/visible.ts";
import { changeHeading, changeSign } from "./actions.ts";
import { clientText } from "./clients.ts";
import { actionFacts, type Fact, interestingFacts } from "./facts.ts";
import { fieldLines } from "./field-diff.ts";
import type { Line, Sign } from "./line-diff.ts";
import { isAiling, planNotes } from "./plan-notes.ts";
import { reasonTexts } from "./reasons.ts";
import { type Given, type Paint, painter, type Screen, type Style } from "./screen.ts";
import { unitLines } from "./unit-diff.ts";
import { cut, wrap, wrapHard } from "./width.ts";

const SIGN_STYLE: Readonly<Record<Exclude<Sign, "">, Style>> = {
  "+": "green",
  "~": "yellow",
  "-/+": "yellow",
  "-": "red",
};
/** Columns that a layout aims at where no terminal says otherwise. */
const USUAL_WIDTH = 80;
/** Columns before the sign of a line below a heading; two more before its text. */
const INDENT = 6;
/** Columns more before what goes on from the line above: what stands there is in no column where a line begins. */
const HANGING = 6;
/** The same below a remark. */
const REMARK = 8;

/** A plan for people, ending in the line of totals, with a newline at its end. */
export function planView(plan: Plan, screen: Screen): string {
  const paint = painter(screen);
  const blocks = plan.changes
    .filter(({ action }) => action !== "none")
    .map((change) => block(change, screen, paint));
  const actions = plan.actions
    .filter(({ change }) => change !== "none")
    .map((change) => actionBlock(change, plan, screen, paint));
  const clients = (plan.clients ?? [])
    .filter(({ change }) => change !== "none")
    .map((change) => clientBlock(change, screen, paint));
  const notes = noteLines(plan, screen, paint);
  const problems = [
    ...(plan.unreachable ?? []).map((lost) => unreachableLine(lost, screen, paint)),
    ...together(plan.diagnostics).map((d) => diagnosticLine(d, screen, paint)),
  ];
  const sections = [...blocks, ...clients, ...actions, notes, problems, [totals(plan, paint)]].filter(
    (lines) => lines.length > 0,
  );
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function block(change: Change, screen: Screen, paint: Paint): string[] {
  const sign = changeSign(change.action);
  const heading = changeHeading(change);
  const reasons = reasonTexts(change, screen.now).map((text) => visible(`because ${text}`));
  return [
    `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(change.server))} ${heading}`,
    ...reasons.map((text) => " ".repeat(INDENT) + paint("dim", cut(text, room(screen, INDENT)))),
    ...[...details(change, screen), ...unitDetails(change, screen)].map((line) =>
      detail(line, screen, paint),
    ),
  ];
}

function clientBlock(change: ClientChange, screen: Screen, paint: Paint): string[] {
  const sign = changeSign(change.change);
  const { heading, lines } = clientText(change, screen);
  return [
    `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(clientLabel(change.client)))} ${heading}`,
    ...lines.map((line) => detail(line, screen, paint)),
  ];
}

const ACTION_HEADINGS = {
  add: "will be added",
  update: "will be changed",
  remove: "will be removed",
  none: "",
};

function actionBlock(
  { key, change, fields, desired }: ActionChange,
  plan: Plan,
  screen: Screen,
  paint: Paint,
): string[] {
  const sign = changeSign(change);
  const space = (screen.width ?? USUAL_WIDTH) - INDENT - 2;
  const facts = change === "add" && desired ? actionFacts(desired, givenTo(desired, plan, screen)) : [];
  const lines = [...facts.flatMap(factLines), ...fields.flatMap((field) => fieldLines(field, space))];
  return [
    `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(actionLabel(key)))} ${ACTION_HEADINGS[change]}`,
    ...lines.map((line) => detail(line, screen, paint)),
  ];
}

/** An action of a server has the environment of that, with its own program's folder before it. */
function givenTo({ program, server }: ActionSpec, { changes }: Plan, { given }: Screen): Given | undefined {
  const owner = changes.find((one) => one.server === server && one.action !== "remove");
  const spec = owner?.desired ?? owner?.observed?.spec;
  return given?.(spec === undefined ? [program] : [program, spec.program]);
}

function factLines({ label, value, lines = [] }: Fact): Line[] {
  return [
    { depth: 0, sign: "+", text: `${label}: ${value}` },
    ...lines.map((text): Line => ({ depth: 1, sign: "+", text })),
  ];
}

function unitDetails({ unit }: Change, { shorten = (path: string) => path }: Screen): Line[] {
  return unit === undefined ? [] : unitLines(unit, shorten);
}

function details(change: Change, screen: Screen): Line[] {
  if (change.action !== "add" || change.desired === undefined) {
    const space = (screen.width ?? USUAL_WIDTH) - INDENT - 2;
    return change.fields.flatMap((field) => fieldLines(field, space));
  }
  const { facts, hidden } = interestingFacts(change.desired, screen.given?.([change.desired.program]));
  const lines = facts.flatMap(factLines);
  const rest: Line = { depth: 0, sign: "", text: `(${hidden} default${hidden === 1 ? "" : "s"} hidden)` };
  return hidden === 0 ? lines : [...lines, rest];
}

function detail({ depth, sign, text }: Line, screen: Screen, paint: Paint): string {
  const indent = INDENT + 2 * depth;
  const [first = "", ...rest] = wrapHard(visible(text), room(screen, indent + 2 + HANGING)).split("\n");
  const styled = (line: string) => (sign === "" ? paint("dim", line) : line);
  const more = rest.map((line) => `\n${" ".repeat(indent + 2 + HANGING)}${styled(line)}`);
  return `${" ".repeat(indent)}${signed(sign, sign.padEnd(1), paint)} ${styled(first)}${more.join("")}`;
}

function signed(sign: Sign, text: string, paint: Paint): string {
  return sign === "" ? text : paint(SIGN_STYLE[sign], text);
}

function room({ width }: Screen, used: number): number | undefined {
  return width === undefined ? undefined : width - used;
}

function noteLines(plan: Plan, screen: Screen, paint: Paint): string[] {
  const notes = planNotes(plan, screen.now).map(
    ({ title, text }) => `${paint("cyan", title)} ${cut(visible(text), room(screen, title.length + 1))}`,
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
