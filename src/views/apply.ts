import { type ApplyEvent, type FinalEvent, isFinal } from "../model/event.ts";
import type { StartProgress } from "../model/start-progress.ts";
import { isSameNews } from "../model/start-report.ts";
import { type ApplyScreen, applySummary, eventText } from "./apply-text.ts";
import { painter, type Style } from "./screen.ts";

const STYLES: Readonly<Record<ApplyEvent["type"], Style | undefined>> = {
  started: "dim",
  progress: "dim",
  done: undefined,
  failed: "red",
  waiting: "yellow",
  skipped: "yellow",
};

/** Least time between two lines about one server whose start is waited for, ms. */
const LINE_GAP = 10_000;

/** Lines stay: there is one when something has changed, and none of what is over soon. */
function isWorthALine(last: StartProgress | undefined, now: StartProgress): boolean {
  // Another wait begins where its previous version is put back.
  if (last === undefined || now.waited_ms < last.waited_ms) return now.waited_ms >= LINE_GAP;
  return now.waited_ms - last.waited_ms >= LINE_GAP && !isSameNews(last, now);
}

/**
 * Follows an apply to its end, a line (or a few) an event, then the summary. `write` gets whole lines without their
 * newline. Answers with how each change ended.
 */
export async function renderApplyLines(
  events: AsyncIterable<ApplyEvent>,
  write: (text: string) => void,
  screen: ApplyScreen,
): Promise<readonly FinalEvent[]> {
  const paint = painter(screen);
  const finals: FinalEvent[] = [];
  const told = new Map<string, StartProgress>();
  for await (const event of events) {
    if (isFinal(event)) finals.push(event);
    if (event.type === "progress") {
      if (!isWorthALine(told.get(event.server), event.progress)) continue;
      told.set(event.server, event.progress);
    } else told.delete(event.server);
    const style = STYLES[event.type];
    write(style === undefined ? eventText(event) : paint(style, eventText(event)));
  }
  write(applySummary(finals, screen));
  return finals;
}
