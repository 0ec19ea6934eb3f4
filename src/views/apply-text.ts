import { waitsSentence } from "../model/dependency.ts";
import type { ApplyEvent, FinalEvent } from "../model/event.ts";
import type { Action } from "../model/plan.ts";
import type { StartProgress } from "../model/start-progress.ts";
import { runsText } from "../model/start-report.ts";
import { group } from "../model/summary.ts";
import { formatDuration } from "../model/units.ts";
import { quotedLine, visible } from "../model/visible.ts";
import { actionOngoing, actionOver, actionVerb } from "./actions.ts";
import { painter, type Screen } from "./screen.ts";

/** An event in words, without colour; a failure carries the server's last lines below it. */
export function eventText(event: ApplyEvent): string {
  const server = visible(event.server);
  switch (event.type) {
    case "started":
      return `${server}: ${actionOngoing(event.action)}`;
    case "progress":
      return `${server}: ${progressText(event.progress)}`;
    case "done":
      return `${server}: ${doneText(event)}`;
    case "waiting":
      return `${server}: ${visible(waitsSentence(event.waitsFor))}`;
    case "skipped":
      return `${server}: ${event.partly ? "changed in part" : `not ${actionOver(event.action)}`}: ${visible(event.message)}`;
    case "failed":
      return [
        failedText(event),
        ...(event.help ?? []).map((clause) => `  ${visible(clause)}`),
        ...event.lastLines.map((line) => `  | ${quotedLine(line)}`),
      ].join("\n");
  }
}

/** How a start is getting on, in a line. */
function progressText(progress: StartProgress): string {
  const told = [waitText(progress), visible(runsText(progress))].join("");
  const line = lastLineText(progress);
  return line === "" ? told : `${told} ${line}`;
}

/** The same for two lines of a terminal: what is waited for, and what else is known. */
export function progressLines(progress: StartProgress): { readonly wait: string; readonly more: string } {
  const runs = visible(runsText(progress)).replace(/^; /, "");
  const more = [runs, lastLineText(progress)].filter((text) => text !== "").join(" ");
  return { wait: waitText(progress), more };
}

function waitText({ waited_ms, bound_ms, evidence }: StartProgress): string {
  const seconds = formatDuration(Math.floor(waited_ms / 1000) * 1000);
  return `waited ${seconds} of ${formatDuration(bound_ms)}: ${visible(evidence)}`;
}

const lastLineText = ({ last_line = "" }: StartProgress) =>
  last_line.trim() === "" ? "" : `| ${quotedLine(last_line).trim()}`;

/** A backend's detail may say itself what was done; that of a removal does. */
function doneText({ action, detail }: Extract<ApplyEvent, { type: "done" }>): string {
  const [over, text] = [actionOver(action), visible(detail)];
  if (text === "") return over;
  return action === "remove" || text.startsWith(over) ? text : `${over}, ${text}`;
}

type Failed = Extract<ApplyEvent, { type: "failed" }>;

/** A backend's message may say itself what cannot be done. */
function failedText({ server: name, action, message, interrupted }: Failed): string {
  const [server, text] = [visible(name), visible(message)];
  if (interrupted) return `${server}: ${text}`;
  return text.startsWith("cannot ")
    ? `${server}: ${text}`
    : `${server}: cannot ${actionVerb(action)}: ${text}`;
}

/** How an apply is shown. */
export interface ApplyScreen extends Pick<Screen, "colour"> {
  /** What the command calls it; `Apply` when not given. */
  readonly verb?: "Apply" | "Destroy" | "Rollback";
}

const isInterrupted = (event: FinalEvent) => "interrupted" in event && event.interrupted === true;

/** The last words of an apply: what was done, and by name what was not. Without newline. */
export function applySummary(events: readonly FinalEvent[], { colour, verb = "Apply" }: ApplyScreen): string {
  const paint = painter({ colour });
  const of = (type: FinalEvent["type"]) => events.filter((event) => event.type === type);
  const [done, ended, waiting, skipped] = [of("done"), of("failed"), of("waiting"), of("skipped")];
  const [interrupted, failed] = [ended.filter(isInterrupted), ended.filter((event) => !isInterrupted(event))];
  if (done.length === events.length) {
    return `${paint("green", paint("bold", `${verb} complete:`))} ${counts(done.map(({ action }) => action))}.`;
  }
  const parts = [
    listed("failed", failed),
    listed("still under way", interrupted),
    listed("waiting", waiting),
    listed("not tried", skipped),
    // What failed, or is under way, may run for all that: it was begun.
    listed("done", done) || (waiting.length > 0 ? "" : `nothing ${ended.length > 0 ? "else " : ""}was done`),
  ];
  const title = `${verb} ${howEnded(events)}:`;
  return `${paint("red", paint("bold", title))} ${parts.filter((part) => part !== "").join("; ")}.`;
}

function howEnded(events: readonly FinalEvent[]): string {
  if (events.some((event) => event.type === "failed" && !isInterrupted(event))) return "failed";
  if (events.some(isInterrupted)) return "interrupted";
  return events.some(({ type }) => type === "skipped") ? "failed" : "not complete";
}

function counts(actions: readonly Action[]): string {
  const count = (kind: ReturnType<typeof group>) => actions.filter((action) => group(action) === kind).length;
  return `${count("add")} added, ${count("change")} changed, ${count("remove")} removed`;
}

/** `1 failed (web)`, or nothing. */
function listed(what: string, events: readonly FinalEvent[]): string {
  return events.length === 0
    ? ""
    : `${events.length} ${what} (${events.map(({ server }) => visible(server)).join(", ")})`;
}
