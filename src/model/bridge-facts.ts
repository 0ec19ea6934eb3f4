import { z } from "zod";
import { MOST_NAMED } from "./bridge-place.ts";

/** What a bridge to a server over stdin and stdout knows: its clients, and the processes that work for them. */

const unixMs = z.int();

export const bridgeFacts = z.object({
  /** `session`: a process for each client; `all`: one for all of them. */
  share: z.enum(["session", "all"]),
  start: z.enum(["eager", "on-demand"]),
  /** It is asleep: no process of the server runs; the next request starts one. */
  sleeping: z.boolean(),
  /** Clients, the one that was used last first. */
  sessions: z
    .array(
      z.object({
        /** The beginning of its id, which its lines in the log begin with. */
        id: z.string(),
        /** Name and version, as the client says them. */
        client: z.string().optional(),
        opened_at_unix_ms: unixMs,
        used_at_unix_ms: unixMs,
        /** Streams that it has open. */
        streams: z.int(),
        /** Its requests that are being worked on. */
        calls: z.int(),
      }),
    )
    .max(MOST_NAMED),
  /** How many there are; not all of them are named. */
  session_count: z.int(),
  /** Processes of the server that were started for clients. */
  children: z
    .array(
      z.object({
        pid: z.int(),
        started_at_unix_ms: unixMs,
        /** The session that it works for; absent: all of them. */
        session: z.string().optional(),
        busy: z.boolean(),
      }),
    )
    .max(MOST_NAMED),
  child_count: z.int(),
});

export type BridgeFacts = Readonly<z.output<typeof bridgeFacts>>;
