import type { BridgeFacts } from "../model/bridge-facts.ts";
import { ago, uptime } from "../model/elapsed.ts";
import { visible } from "../model/visible.ts";

/** Who uses a server over stdin and stdout, and what works for them. */

/** As the wire has it, or as a bridge tells it. */
export type Bridged = Omit<BridgeFacts, "sleeping" | "start">;

/** A line for each client: `3f2a91bc  editor 1.2, connected 2h ago, used 5s ago, 1 stream, 2 calls`. */
export function sessionLines({ sessions, session_count: count }: Bridged, now: number): string[] {
  const lines = sessions.map(
    ({ id, client = "unknown", opened_at_unix_ms, used_at_unix_ms, streams, calls }) =>
      visible(
        [
          `  ${id}  ${client}`,
          `connected ${ago(now - opened_at_unix_ms)}`,
          `used ${ago(now - used_at_unix_ms)}`,
          ...(streams === 0 ? [] : [counted(streams, "stream")]),
          ...(calls === 0 ? [] : [counted(calls, "call")]),
        ].join(", "),
      ),
  );
  return [...lines, ...more(count - sessions.length)];
}

/** A line for each process that works for clients: `pid 4242, up 2h, for 3f2a91bc, busy`. */
export function childLines({ children, child_count: count, share }: Bridged, now: number): string[] {
  const lines = children.map(({ pid, started_at_unix_ms, session, busy }) =>
    visible(
      [
        `  pid ${pid}`,
        `up ${uptime(Math.max(0, now - started_at_unix_ms))}`,
        session === undefined ? (share === "all" ? "for all clients" : "tries the server") : `for ${session}`,
        ...(busy ? ["busy"] : []),
      ].join(", "),
    ),
  );
  return [...lines, ...more(count - children.length)];
}

const more = (count: number) => (count > 0 ? [`  and ${count} more`] : []);

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

export const clientsText = (count: number) => counted(count, "client");

export const ASLEEP = "Asleep: none of its processes runs, and the next request starts one.";
