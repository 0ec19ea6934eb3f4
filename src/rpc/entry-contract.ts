import { z } from "zod";
import { BACKENDS } from "../model/backends.ts";
import { bridgeFacts } from "../model/bridge-facts.ts";
import {
  missing,
  operatorWord,
  pauseTimes,
  transition,
  troubles,
  unixMs,
  unwatched,
  verdict,
} from "../model/observed-schema.ts";
import { mcpFacts } from "../model/probe-report.ts";
import { serverSpec } from "../model/spec.ts";
import { CONDITIONS } from "../model/spec-parts.ts";
import { starter } from "../model/starter.ts";
import { STATES } from "../model/states.ts";

/** A server on the wire: in a list, in a tree, and by itself. */

export const bridgeEntry = bridgeFacts.omit({ sleeping: true });

export const listEntry = z.object({
  name: z.string(),
  project: z.string(),
  /** What runs it; an agent reports only its own servers. */
  backend: z.enum(BACKENDS),
  state: z.enum(STATES),
  /** Its state is `running`. */
  is_running: z.boolean(),
  pid: z.int().optional(),
  /** Null: it has no port. */
  port: z.int().nullable(),
  /** For clients on this machine; null: nothing says that it speaks HTTP. Absent from agents of earlier versions. */
  url: z.string().nullable().optional(),
  /** An operator stopped it: it stays stopped until an operator starts it. */
  held: z.boolean(),
  /** Restarts, and what probes lead to, are suspended; without `until_unix_ms` until `resume`. */
  paused: pauseTimes.optional(),
  /** Why its output is not read. */
  unwatched: unwatched.optional(),
  uptime_secs: z.int().optional(),
  /** Null: nobody counts. */
  restart_count: z.int().nullable(),
  /** Exit code of its last process; absent after a signal, and where nobody saw it. */
  last_exit: z.int().optional(),
  /** How that process ended: with a code, by a signal, or, with neither, in an unknown way. */
  last_end: z
    .object({
      code: z.int().optional(),
      signal: z.string().optional(),
      /** Why that is unknown, one clause. */
      unknown_because: z.string().optional(),
      at_unix_ms: unixMs,
      /** It was asked to exit. */
      requested: z.literal(true).optional(),
    })
    .optional(),
  /** Null: not known (yet). */
  ready: z.boolean().nullable(),
  healthy: z.boolean().nullable(),
  /** Only while it waits; its state is `stopped` then. */
  waits_for: z.array(missing).optional(),
  /** No configuration declares it: `keep` has added it, and only `forget` removes it. */
  kept: z.literal(true).optional(),
  /** What xy cannot do for it now, a clause each, such as `its record cannot be written: no space left on device (ENOSPC)`. */
  troubles: troubles.optional(),
  /** Its bridge runs, and no process of the server itself: the next request starts one. Ready, if it was seen to work. */
  sleeping: z.literal(true).optional(),
  /** Of a server over stdin and stdout: its clients, and the processes that work for them. */
  bridge: bridgeEntry.optional(),
  /** Where its project's configuration was, if that is gone; only `xy list` checks. */
  root_gone: z.string().optional(),
});

export const treeEntry = listEntry.extend({
  depends_on: z.array(z.object({ server: z.string(), condition: z.enum(CONDITIONS) })),
});

export const statusEntry = listEntry.extend({
  since_unix_ms: unixMs,
  /** When the running process started. */
  started_at_unix_ms: unixMs.optional(),
  reason: z.string().optional(),
  operator: operatorWord,
  /** Who started it last. */
  started_by: starter.optional(),
  drift: z.string().optional(),
  recent_transitions: z.array(transition.omit({ at: true }).extend({ at_unix_ms: unixMs })),
  probes: z.object({ readiness: verdict, liveness: verdict }),
  /** What an MCP server reports about itself. */
  mcp: mcpFacts.optional(),
  spec: serverSpec,
  log_path: z.string(),
  last_lines: z.array(z.string()).optional(),
});

export type ListEntry = z.output<typeof listEntry>;
export type TreeEntry = z.output<typeof treeEntry>;
export type StatusEntry = z.output<typeof statusEntry>;
