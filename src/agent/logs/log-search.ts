import { setImmediate as nextTurn } from "node:timers/promises";
import { LONGEST_MATCHED } from "../../model/expression.ts";
import { A_TURN } from "./line-search.ts";
import type { LogQuery, LogSnapshot } from "./log-reader.ts";
import type { LogLine } from "./log-record.ts";
import type { ShownLines } from "./shown-lines.ts";

/** A line that matches, as it is shown. */
export interface Found extends Pick<LogLine, "at" | "stream" | "split"> {
  readonly text: string;
}

/** What is searched for, and until when. */
export interface Search extends LogQuery {
  readonly matches: (text: string) => boolean;
  /** Nobody waits for it any more. */
  readonly isOver: () => boolean;
  /** For the newest lines: what is held back of them counts for those that follow. */
  readonly newest: ShownLines;
  readonly shown: () => ShownLines;
}

/**
 * The last lines that match, oldest first. Reads one file after another, the newest first, each from its beginning; only
 * lines that match stay in memory. Matches some in each turn of the event loop.
 */
export async function lastMatching(snapshot: LogSnapshot, search: Search): Promise<Found[]> {
  const { tail, since, isOver } = search;
  let found: Found[] = [];
  for (let file = 0; file < snapshot.fileCount && found.length < tail; file++) {
    const inFile = await matchingIn(snapshot, file, tail - found.length, search);
    found = [...inFile.found, ...found];
    if (isOver() || (since !== undefined && (inFile.newest ?? since) < since)) break;
  }
  return isOver() ? [] : found;
}

async function matchingIn(
  snapshot: LogSnapshot,
  file: number,
  most: number,
  { since, until, stream, unfinished, matches, isOver, newest, shown }: Search,
): Promise<{ found: Found[]; newest: number | undefined }> {
  const lines = file === 0 ? newest : shown();
  let found: Found[] = [];
  let last: number | undefined;
  let work = 0;
  for (const line of snapshot.linesIn(file, file === 0 && unfinished)) {
    const { at, split } = line;
    last = at;
    const isOut = line.isBefore || (since !== undefined && at < since) || (until !== undefined && at > until);
    const text = lines.text(line);
    const isAsked = !isOut && (stream === undefined || line.stream === stream);
    if (isAsked && matches(text)) found.push({ at, stream: line.stream, split, text });
    if (found.length >= 2 * most) found = found.slice(-most);
    // Reading and decoding a line is some work, too.
    work += (isAsked ? Math.min(text.length, LONGEST_MATCHED) : 0) + 16;
    if (work < A_TURN) continue;
    work = 0;
    await nextTurn();
    if (isOver()) break;
  }
  return { found: found.slice(-most), newest: last };
}
