import type { ActionSpec } from "../model/action.ts";
import { type ClientChange, clientLabel } from "../model/client-plan.ts";
import type { Action, ActionChange, Change, Plan } from "../model/plan.ts";
import { actionLabel } from "../model/summary.ts";
import { visible } from "../model/visible.ts";
import { changeHeading, changeSign } from "./actions.ts";
import { aroundDifferences } from "./around.ts";
import { clientText } from "./clients.ts";
import { actionFacts, defaultsHidden, type Fact, interestingFacts } from "./facts.ts";
import { fieldLines } from "./field-diff.ts";
import type { Line, Sign } from "./line-diff.ts";
import { reasonTexts } from "./reasons.ts";
import { type Given, type Paint, painter, type Screen, type Style } from "./screen.ts";
import { unitLines } from "./unit-diff.ts";
import { displayWidth, wrapHard, wrapLines } from "./width.ts";

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

/** Whether it is about to happen, or did. */
type Tense = "will" | "was";

/** What a plan changes, in a block of lines each: servers, then files of clients, then actions. */
export function planBlocks(plan: Plan, screen: Screen, tense: Tense): string[][] {
  const paint = painter(screen);
  const changes = plan.changes.filter(({ action }) => action !== "none");
  const clients = (plan.clients ?? []).filter(({ change }) => change !== "none");
  const actions = plan.actions.filter(({ change }) => change !== "none");
  return [
    ...changes.map((change) => block(change, screen, tense, paint)),
    ...clients.map((change) => clientBlock(change, screen, tense, paint)),
    ...actions.map((change) => actionBlock(change, plan, screen, tense, paint)),
  ];
}

function past(action: Action): string {
  return action === "add" ? "added" : action === "remove" ? "removed" : "changed";
}

function block(change: Change, screen: Screen, tense: Tense, paint: Paint): string[] {
  const sign = changeSign(change.action);
  const heading = tense === "was" ? past(change.action) : changeHeading(change);
  const reasons = reasonTexts(change, screen.now).map((text) => visible(`because ${text}`));
  return [
    wrapLines(
      `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(change.server))} ${heading}`,
      screen.width,
    ),
    ...reasons.map((text) => wrapLines(" ".repeat(INDENT) + paint("dim", text), screen.width)),
    ...detailed([...details(change, screen), ...unitDetails(change, screen)], screen, paint),
  ];
}

function clientBlock(change: ClientChange, screen: Screen, tense: Tense, paint: Paint): string[] {
  const sign = changeSign(change.change);
  const text = clientText(change, screen, spaceOf(screen));
  const lines = text.lines;
  const heading = tense === "was" ? past(change.change) : text.heading;
  return [
    wrapLines(
      `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(clientLabel(change.client)))} ${heading}`,
      screen.width,
    ),
    ...detailed(lines, screen, paint),
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
  tense: Tense,
  paint: Paint,
): string[] {
  const sign = changeSign(change);
  const space = spaceOf(screen);
  const facts = change === "add" && desired ? actionFacts(desired, givenTo(desired, plan, screen)) : [];
  const lines = [...facts.flatMap(factLines), ...fields.flatMap((field) => fieldLines(field, space))];
  return [
    `${signed(sign, sign.padStart(3), paint)} ${paint("bold", visible(actionLabel(key)))} ${tense === "was" ? past(change) : ACTION_HEADINGS[change]}`,
    ...detailed(lines, screen, paint),
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
    const space = spaceOf(screen);
    return change.fields.flatMap((field) => fieldLines(field, space));
  }
  const given = screen.given?.([change.desired.program]);
  const { facts, hidden } = interestingFacts(change.desired, given, screen.defaults);
  const lines = facts.flatMap(factLines);
  const rest: Line = { depth: 0, sign: "", text: defaultsHidden(hidden) };
  return hidden === 0 ? lines : [...lines, rest];
}

function detailed(lines: readonly Line[], screen: Screen, paint: Paint): string[] {
  const space = (depth: number) => room(screen, INDENT + 2 * depth + 2);
  return aroundDifferences(lines, space).map((line) => detail(line, screen, paint));
}

function detail({ depth, sign, text }: Line, screen: Screen, paint: Paint): string {
  const indent = INDENT + 2 * depth;
  const shown = visible(text);
  const space = room(screen, indent + 2);
  const isOne = space === undefined || displayWidth(shown) <= space;
  const [first = "", ...rest] = isOne ? [shown] : wrapHard(shown, space - HANGING).split("\n");
  const styled = (line: string) => (sign === "" ? paint("dim", line) : line);
  const more = rest.map((line) => `\n${" ".repeat(indent + 2 + HANGING)}${styled(line)}`);
  return `${" ".repeat(indent)}${signed(sign, sign.padEnd(1), paint)} ${styled(first)}${more.join("")}`;
}

function signed(sign: Sign, text: string, paint: Paint): string {
  return sign === "" ? text : paint(SIGN_STYLE[sign], text);
}

/** Columns that a line below a heading aims at. */
const spaceOf = ({ width = USUAL_WIDTH }: Screen) => width - INDENT - 2;

/** Columns that are left on a line; undefined: any number. */
function room({ width }: Screen, used: number): number | undefined {
  return width === undefined ? undefined : width - used;
}
