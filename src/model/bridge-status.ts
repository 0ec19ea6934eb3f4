import { z } from "zod";
import { bridgeFacts } from "./bridge-facts.ts";
import { mcpFacts } from "./probe-report.ts";

/** What a bridge to a server over stdin and stdout tells xy of itself and of the server. */
export const bridgeStatus = z.object({
  /** The server was seen to start and to list its tools, and none of its processes has crashed since. */
  works: z.boolean(),
  /** Why it does not, one clause. */
  reason: z.string().optional(),
  /** When it is started again. */
  next_start_at_unix_ms: z.int().optional(),
  mcp: mcpFacts.optional(),
  bridge: bridgeFacts,
});

export type BridgeStatus = Readonly<z.output<typeof bridgeStatus>>;
