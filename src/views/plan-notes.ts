import { waitsText } from "../model/dependency.ts";
import { ago, span } from "../model/elapsed.ts";
import { formatExit, type Observed } from "../model/observed.ts";
import type { Change, Plan } from "../model/plan.ts";
import { isWaiting } from "../model/summary.ts";
import { clientDrift } from "./clients.ts";

/** What a person should know beside a plan's changes: one line each, with a title. */
interface PlanNote {
  readonly title: string;
  readonly text: string;
}

/** `now`: Unix ms. */
export function planNotes(plan: Plan, now: number): PlanNote[] {
  const { changes, skipped, clients = [], kept = [] } = plan;
  const held = changes.filter((change) => change.held && change.action !== "remove");
  const paused = changes.filter((change) => change.observed?.paused && !held.includes(change));
  const drifted = changes.filter(({ observed }) => observed?.drift !== undefined);
  const titled = (title: string, texts: readonly string[]) => texts.map((text) => ({ title, text }));
  return [
    ...titled(
      "held:",
      held.map((change) => heldText(change, now)),
    ),
    ...titled(
      "paused:",
      paused.map((change) => pausedText(change, now)),
    ),
    ...titled("waiting:", changes.filter(isWaiting).map(waitingText)),
    ...titled("not ready:", changes.filter(isAiling).map(ailingText)),
    ...titled("unwatched:", changes.filter(isUnwatched).map(unwatchedText)),
    ...titled("drifted:", [...drifted.map(driftText), ...clients.flatMap(clientDrift)]),
    ...titled("undeclared:", kept.map(keptText)),
    ...titled(
      "put back:",
      changes.filter(isPutBack).map((change) => putBackText(change, now)),
    ),
    ...titled("left out:", skipped.length === 0 ? [] : [skipped.join(", ")]),
  ];
}

function heldText({ server, observed }: Change, now: number): string {
  const since = observed?.state === "stopped" ? `, stopped ${ago(now - observed.since)}` : "";
  return `${server}${since}; it stays stopped until \`xy start ${server}\``;
}

function pausedText({ server, action, observed }: Change, now: number): string {
  const until = observed?.paused?.until;
  const end = until === undefined ? "" : `, for another ${span(until - now)}`;
  if (action !== "none" || observed?.state !== "restarting")
    return `${server}${end}; nothing restarts it until \`xy resume ${server}\``;
  const exit = observed.lastExit ? ` (${formatExit(observed.lastExit.exit)})` : "";
  return `${server}, which is down${exit}${end}; nothing starts it until \`xy resume ${server}\``;
}

function waitingText({ server, observed }: Change): string {
  return `${server} ${waitsText(observed?.waitsFor ?? [])}`;
}

/** The server matches the configuration but does not work. */
export function isAiling({ action, observed, desired }: Change): boolean {
  const running = action === "none" && desired?.wanted !== "ignore" && observed?.state === "running";
  return running && observed.ready.status === "failing";
}

function ailingText({ server, observed }: Change): string {
  return `${server} is running, but ${observed?.ready.evidence ?? "is not ready"}`;
}

function keptText({ name, state }: Observed): string {
  return `${name} ${state === "failed" ? "has" : "is"} ${state}, and left as it is; \`xy forget ${name}\` removes it`;
}

const isUnwatched = ({ observed }: Change) => observed?.unwatched !== undefined;

function unwatchedText({ server, observed }: Change): string {
  return `${server} is running, but its output is not read: ${observed?.unwatched?.reason}`;
}

function driftText({ server, action, observed }: Change): string {
  const outcome =
    action === "remove" ? "will be removed" : action === "none" ? "is left alone" : "will be restored";
  return `${server} was changed outside xy (${observed?.drift}), and ${outcome}`;
}

/** An earlier apply of this configuration failed: another one would fail in the same way. */
const isPutBack = ({ action, observed }: Change) => action !== "none" && observed?.restored !== undefined;

function putBackText({ server, observed }: Change, now: number): string {
  const { at, because } = observed?.restored ?? { at: now, because: "reason unknown" };
  return `${server}, ${ago(now - at)}, by an apply that failed: ${because}`;
}
