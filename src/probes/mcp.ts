import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import { Conversation, type McpPlace } from "./mcp-conversation.ts";
import { legacyLook } from "./mcp-legacy.ts";
import { modernLook } from "./mcp-modern.ts";

export interface McpTarget extends McpPlace {
  /** What an earlier probe of this very process found: the other era is not tried. */
  readonly era?: McpFacts["era"];
  /** The version of xy, which a server is told. */
  readonly clientVersion: string;
}

/**
 * A whole exchange with an MCP server, as a client would open it: it is healthy when it answers with a result of its
 * own to our id, up to its list of tools. Takes `timeoutMs` at most, and a second more to end a session that it
 * opened. Never rejects because of the server.
 */
export async function mcpProbe(target: McpTarget): Promise<ProbeReport> {
  const talk = new Conversation(target);
  const client = { name: "xy", version: target.clientVersion };
  try {
    const modern =
      target.era === "legacy" ? undefined : await modernLook(talk, client, target.era === "modern");
    const look = modern ?? (await legacyLook(talk, client));
    return { ...look, steps: talk.steps };
  } finally {
    await talk.end();
  }
}
