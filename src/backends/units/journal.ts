import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { FrameDecoder } from "../../rpc/framing.ts";
import type { LogLine, LogRequest } from "../log-lines.ts";

/** The journal of the machine, as `journalctl` tells it. It keeps no streams apart. */

/** Where the journal takes the output of units. */
const SOCKET = "/run/systemd/journal/stdout";

/** Longest entry that is read, bytes: the journal itself cuts lines at 48 KiB, and tells each byte in up to five. */
const LONGEST_ENTRY = 4 << 20;

/** Whether there is a journal: what is written to it is lost otherwise. */
export function hasJournal(): boolean {
  return existsSync(SOCKET);
}

/** Lines that processes of this account have written under that identifier. */
export async function* journalLines(
  { identifier, uid }: { readonly identifier: string; readonly uid: number },
  { tail, follow, since, stream }: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  if (stream === "stderr" || (tail === 0 && !follow)) return;
  const args = [
    "--quiet",
    "--no-pager",
    "--output=json",
    "--output-fields=MESSAGE",
    `--lines=${tail}`,
    ...(follow ? ["--follow"] : []),
    // Whole seconds are what every version reads.
    ...(since === undefined ? [] : [`--since=@${Math.floor(since / 1000)}`]),
    `SYSLOG_IDENTIFIER=${identifier}`,
    `_UID=${uid}`,
    "_TRANSPORT=stdout",
  ];
  const child = spawn("journalctl", args, { stdio: ["ignore", "pipe", "ignore"] });
  const stop = () => void child.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const failed = failureOf(child);
    // Not node:readline: it ends a line at U+2028 as well, which a message may hold.
    let entries = new FrameDecoder(LONGEST_ENTRY);
    const taken = (chunk: Buffer): string[] => {
      try {
        return entries.take(chunk);
      } catch {
        // What is left of an entry that is too long is none.
        entries = new FrameDecoder(LONGEST_ENTRY);
        return [];
      }
    };
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (const line of taken(chunk).flatMap((entry) => lineOf(entry) ?? [])) {
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

function failureOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code) =>
      resolve(code === 0 || code === null ? undefined : `journalctl ended with ${code}`),
    );
  });
}

/** One entry, as JSON; undefined for what is none. A message that is no text comes as its bytes. */
export function lineOf(entry: string): LogLine | undefined {
  try {
    const { MESSAGE: message, __REALTIME_TIMESTAMP: time } = JSON.parse(entry) as Record<string, unknown>;
    const line = Array.isArray(message) ? Buffer.from(message as number[]).toString("utf8") : message;
    if (typeof line !== "string") return undefined;
    const at = Math.floor(Number(time) / 1000);
    return { stream: "stdout", line, ...(Number.isFinite(at) ? { at } : {}) };
  } catch {
    return undefined;
  }
}
