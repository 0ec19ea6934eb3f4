/** One look of a probe, and what it rests on. */
import { z } from "zod";
import { bridgeFacts } from "./bridge-facts.ts";
/** What an MCP server said of itself. */
export const mcpFacts = z.object({
  /** `legacy`: up to 2025-11-25, opened by `initialize`; `modern`: since 2026-07-28. Absent: it wants authorization first. */
  era: z.enum(["legacy", "modern"]).optional(),
  protocolVersion: z.string().optional(),
  /** `http+sse`: the one of 2024-11-05, with a stream of its own. Absent: Streamable HTTP. */
  transport: z.string().optional(),
  /** Its actual path, if that is not the requested one. */
  path: z.string().optional(),
  serverName: z.string().optional(),
  serverVersion: z.string().optional(),
  /** Absent: it lists none, or was not asked. */
  tools: z.array(z.string()).optional(),
  authorization: z.enum(["none", "required"]),
});
export type McpFacts = z.infer<typeof mcpFacts>;
const probeStep = z.object({ step: z.string(), ok: z.boolean(), detail: z.string(), ms: z.number() });
export type ProbeStep = z.infer<typeof probeStep>;
export const probeReport = z.object({
  ok: z.boolean(),
  evidence: z.string(),
  steps: z.array(probeStep),
  mcp: mcpFacts.optional(),
  bridge: bridgeFacts.optional(),
});
export type ProbeReport = z.infer<typeof probeReport>;
