import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { withoutUndefined } from "../../../model/without-undefined.ts";
import type { LogLine, LogRequest } from "../../log-lines.ts";

/** The machine's journal, read with `journalctl`. It does not distinguish stdout from stderr. */

/** Where units send their output. */
const SOCKET = "/run/systemd/journal/stdout";

/** Longest entry that is read, bytes: the journal cuts lines at 48 KiB, and writes each byte as up to five. */
const LONGEST_ENTRY = 4 << 20;

/** Whether there is a journal: without one, output sent to it is lost. */
export function hasJournal(): boolean {
  return existsSync(SOCKET);
}

/** Whose lines are read. */
interface Origin {
  readonly identifier: string;
  readonly uid: number;
}

/** Lines that this account's processes wrote under the identifier. */
export async function* journalLines(
  origin: Origin,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  const { tail, follow, stream, matches } = request;
  if (stream === "stderr" || (tail === 0 && !follow)) return;
  if (matches) yield* matching(origin, { ...request, matches }, signal);
  else for await (const { cursor: _, ...line } of entriesOf(origin, request, signal)) yield line;
}

/** All entries are read, and only lines that match are kept; then what came after them is followed. */
async function* matching(
  origin: Origin,
  { tail, follow, since, matches }: LogRequest & Required<Pick<LogRequest, "matches">>,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  const asked = withoutUndefined({ since });
  let found: LogLine[] = [];
  let last: string | undefined;
  for await (const { cursor, ...line } of entriesOf(
    origin,
    { tail: "all", follow: false, ...asked },
    signal,
  )) {
    last = cursor ?? last;
    if (tail > 0 && matches(line.line)) found.push(line);
    if (found.length >= 2 * tail) found = found.slice(-tail);
  }
  yield* tail === 0 ? [] : found.slice(-tail);
  if (!follow || signal.aborted) return;
  const after = { tail: "all" as const, follow, ...asked, ...withoutUndefined({ after: last }) };
  for await (const { cursor: _, ...line } of entriesOf(origin, after, signal))
    if (matches(line.line)) yield line;
}

interface Entry extends LogLine {
  readonly cursor?: string;
}

interface EntryRequest extends Pick<LogRequest, "follow" | "since"> {
  readonly tail: number | "all";
  /** The cursor of the entry before the first one. */
  readonly after?: string;
}

/** Where a journal may be: in memory, and on a disk. */
const FOLDERS = ["/run/log/journal", "/var/log/journal"];
/** Pause between two looks for them, ms. */
const FOLDERS_GAP = 1000;

/**
 * journalctl never sees what is written into a folder that was not there yet when it began to follow, as at a boot: it is
 * started again then, after the last entry that it told.
 */
async function* entriesOf(
  origin: Origin,
  request: EntryRequest,
  signal: AbortSignal,
): AsyncGenerator<Entry, void, void> {
  let { after } = request;
  while (!signal.aborted) {
    const missing = request.follow ? FOLDERS.filter((folder) => !existsSync(folder)) : [];
    const blind = new AbortController();
    const look = () => missing.some((folder) => existsSync(folder)) && blind.abort();
    const timer = missing.length > 0 ? setInterval(look, FOLDERS_GAP) : undefined;
    try {
      const either = AbortSignal.any([signal, blind.signal]);
      for await (const entry of readOnce(origin, { ...request, ...withoutUndefined({ after }) }, either)) {
        after = entry.cursor ?? after;
        yield entry;
      }
    } finally {
      clearInterval(timer);
    }
    if (!blind.signal.aborted) return;
  }
}

/** As one journalctl tells it. */
async function* readOnce(
  { identifier, uid }: Origin,
  { tail, follow, since, after }: EntryRequest,
  signal: AbortSignal,
): AsyncGenerator<Entry, void, void> {
  const args = [
    "--quiet",
    "--no-pager",
    "--output=json",
    // Without it, a message of more than 4 KiB is printed as null.
    "--all",
    "--output-fields=MESSAGE",
    `--lines=${after === undefined ? tail : "all"}`,
    ...(follow ? ["--follow"] : []),
    // Every version reads whole seconds.
    ...(since === undefined || after !== undefined ? [] : [`--since=@${Math.floor(since / 1000)}`]),
    ...(after === undefined ? [] : [`--after-cursor=${after}`]),
    `SYSLOG_IDENTIFIER=${identifier}`,
    `_UID=${uid}`,
    "_TRANSPORT=stdout",
  ];
  const child = spawn("journalctl", args, { stdio: ["ignore", "pipe", "ignore"] });
  const stop = () => void child.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const failed = failureOf(child);
    // Not node:readline: it also ends a line at U+2028, which a message may contain.
    const entries = entriesIn(LONGEST_ENTRY);
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (const line of entries(chunk).flatMap((entry) => lineOf(entry) ?? [])) {
        if (since === undefined || (line.at ?? since) >= since) yield line;
      }
    }
    const failure = await failed;
    if (failure !== undefined && !signal.aborted) throw new Error(`cannot read the journal: ${failure}`);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Splits chunks into lines. A line that is too long is dropped, and nothing else. */
export function entriesIn(longest: number): (chunk: Buffer) => string[] {
  let parts: Buffer[] = [];
  let length = 0;
  const push = (part: Buffer) => {
    length += part.length;
    if (length > longest) parts = [];
    else parts.push(part);
  };
  return (chunk) => {
    const entries: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      push(chunk.subarray(start, end));
      if (length <= longest) entries.push(Buffer.concat(parts, length).toString("utf8"));
      [parts, length, start] = [[], 0, end + 1];
    }
    push(chunk.subarray(start));
    return entries;
  };
}

function failureOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code) =>
      resolve(code === 0 || code === null ? undefined : `journalctl exited with ${code}`),
    );
  });
}

/** One entry, from JSON; undefined if it is not one. A message that is not text comes as bytes. */
export function lineOf(entry: string): Entry | undefined {
  try {
    const fields = JSON.parse(entry) as Record<string, unknown>;
    const { MESSAGE: message, __REALTIME_TIMESTAMP: time, __CURSOR: from } = fields;
    const line = isBytes(message) ? Buffer.from(message).toString("utf8") : message;
    if (typeof line !== "string") return undefined;
    const at =
      typeof time === "string" && /^\d{1,18}$/.test(time) ? Math.floor(Number(time) / 1000) : undefined;
    const cursor = typeof from === "string" ? from : undefined;
    return { stream: "stdout", line, ...withoutUndefined({ at, cursor }) };
  } catch {
    return undefined;
  }
}

const isBytes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0 && one <= 255);
