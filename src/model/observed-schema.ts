import { z } from "zod";
import { BACKENDS } from "./backends.ts";
import { bridgeFacts } from "./bridge-facts.ts";
import { mcpFacts } from "./probe-report.ts";
import { serverSpec } from "./spec.ts";
import { CONDITIONS, exit } from "./spec-parts.ts";
import { starter } from "./starter.ts";
import { STATES } from "./states.ts";

/** What a backend says of a server, as schemas: `observed.ts` has their types, for code that does without zod. */

/** Milliseconds since 1970, whole ones. */
export const unixMs = z.int();

/** The answer to "is it ready" or "is it healthy", with what it rests on. */
export const verdict = z.object({
  /** `unknown`: not checked yet, or there is nothing to check. */
  status: z.enum(["ok", "failing", "unknown"]),
  /** One line: what was seen. */
  evidence: z.string(),
  /** Time of the last check. */
  at: unixMs,
});

/** The operator's word: it stands above the configuration's `wanted`. */
export const operatorWord = z.enum(["start", "stop"]).nullable();

/** One thing that keeps a server from starting: it starts automatically once this has changed. */
export const missing = z.object({
  server: z.string(),
  condition: z.enum(CONDITIONS),
  /** One clause: how that server is instead, e.g. `running, not ready: nothing listens on 127.0.0.1:8421`. */
  state: z.string(),
  /** It does not run, and nothing starts it automatically. */
  resting: z.boolean(),
});

/** An apply has put back the version before, which is the one that it has now. */
export const restored = z.object({
  at: unixMs,
  /** Why the newer one is not kept, one clause. */
  because: z.string(),
});

/** One step from state to state. */
export const transition = z.object({
  from: z.enum(STATES),
  to: z.enum(STATES),
  at: unixMs,
  reason: z.string().exactOptional(),
});

/** What xy cannot do for a server now, and which output was lost since the agent started: a clause each. */
export const troubles = z.array(z.string());

/** It runs as recorded, but cannot be watched for now: nobody reads its output. The agent keeps trying. */
export const unwatched = z.object({
  /** One clause. */
  reason: z.string(),
});

/** The times of a pause, as the wire and documents name them. */
export const pauseTimes = z.object({ at_unix_ms: unixMs, until_unix_ms: unixMs.exactOptional() });

/** Times of an observation, named in the same way. */
export const timeNames = z.object({
  started_at_unix_ms: unixMs.exactOptional(),
  next_start_at_unix_ms: unixMs.exactOptional(),
});

/** What a backend says, live, of one server it has a record of. */
export const observed = z.object({
  name: z.string(),
  project: z.string(),
  backend: z.enum(BACKENDS),
  /** What was last applied; absent when its record cannot be read. */
  spec: serverSpec.exactOptional(),
  /** `startHash` of the spec that the live process was started with. */
  runningHash: z.string().exactOptional(),
  state: z.enum(STATES),
  operator: operatorWord,
  /** What someone other than xy has changed since the apply. */
  drift: z.string().exactOptional(),
  /**
   * It must be applied again, whatever is declared. `rewritten`: this xy writes its unit differently, or to another place.
   * `unfinished`: an apply was interrupted.
   */
  unsettled: z.enum(["rewritten", "unfinished"]).exactOptional(),
  pid: z.int().exactOptional(),
  startedAt: unixMs.exactOptional(),
  /** Since somebody started it; absent where nobody counts. */
  restartCount: z.int().exactOptional(),
  lastExit: z
    .object({
      exit,
      at: unixMs,
      /** It was asked to end (by a person, a plan, the end of what supervises it): it did not end by itself. */
      requested: z.boolean().exactOptional(),
    })
    .exactOptional(),
  /** Time of the next start by its restart policy; only while `restarting`. */
  nextStartAt: unixMs.exactOptional(),
  /** Restarts, and what probes lead to, are suspended. `until`: when that ends; absent: when a person resumes it. */
  paused: z.object({ at: unixMs, until: unixMs.exactOptional() }).optional(),
  unwatched: unwatched.exactOptional(),
  /** Who started it last. */
  startedBy: starter.exactOptional(),
  /** Why it is in this state, one clause, e.g. `exit 7, 5 restarts in the last minute`. */
  reason: z.string().exactOptional(),
  restored: restored.exactOptional(),
  /** It ended by itself, and nobody saw it ready before that, as it should have been. */
  neverReady: z.boolean().exactOptional(),
  /** When it came into this state. */
  since: unixMs,
  /** Last output lines, for a failed server only. */
  lastLines: z.array(z.string()).exactOptional(),
  ready: verdict,
  healthy: verdict,
  /** What an MCP server said of itself, once its live process has. */
  mcp: mcpFacts.exactOptional(),
  /** Of a server over stdin and stdout that runs: what its bridge tells. */
  bridge: bridgeFacts.exactOptional(),
  /** It starts automatically as soon as these have changed; only while it waits for them. */
  waitsFor: z.array(missing).exactOptional(),
  /** No configuration has declared it: a person has added it, and only a person removes it. */
  kept: z.literal(true).exactOptional(),
  troubles: troubles.exactOptional(),
});
