import type { ApplyEvent } from "../model/event.ts";
import { type ApplyScreen, applySummary, eventText, type FinalEvent, isFinal } from "./apply-text.ts";
import { painter, type Style } from "./screen.ts";

const STYLES: Readonly<Record<ApplyEvent["type"], Style | undefined>> = {
  started: "dim",
  progress: "dim",
  done: undefined,
  failed: "red",
  waiting: "yellow",
  skipped: "yellow",
};

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
  for await (const event of events) {
    if (isFinal(event)) finals.push(event);
    const style = STYLES[event.type];
    write(style === undefined ? eventText(event) : paint(style, eventText(event)));
  }
  write(applySummary(finals, screen));
  return finals;
}
