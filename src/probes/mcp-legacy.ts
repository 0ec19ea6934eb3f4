import { isRecord } from "./json-rpc.ts";
import { isVersion, supportedVersions } from "./mcp-answer.ts";
import { type Conversation, type McpReply, reportOf } from "./mcp-conversation.ts";
import { type Client, healthy, type Identity, judged, type Look, listTools, nameIn } from "./mcp-look.ts";

/** The versions of the legacy era, the newest first. A server answers with the one that it wants. */
const VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

/** Looks at a server the legacy way: opens a session, says so, and lists its tools, or pings when it has none. */
export async function legacyLook(talk: Conversation, client: Client): Promise<Look> {
  const { answer, session } = await initialize(talk, client);
  if (answer.kind !== "result") return withHint(judged("initialize", answer));
  const { protocolVersion, serverInfo, capabilities } = answer.result;
  if (!isVersion(protocolVersion))
    return judged("initialize", {
      kind: "refused",
      detail: "answered without a protocol version: this is not MCP",
    });
  const identity: Identity = { era: "legacy", protocolVersion, ...nameIn(serverInfo) };
  talk.standing = {
    "MCP-Protocol-Version": protocolVersion,
    ...(session !== undefined && { "Mcp-Session-Id": session }),
  };
  const told = await talk.tell("notifications/initialized");
  if (told.kind !== "result") return judged("notifications/initialized", told, identity);
  return isRecord(capabilities) && capabilities.tools === undefined
    ? pinged(talk, identity)
    : listed(talk, identity);
}

/** Opens a session; a server that refuses our version and names an older one is asked again with that. */
async function initialize(talk: Conversation, client: Client): Promise<McpReply> {
  const newest = VERSIONS[0];
  const first = await open(talk, client, newest);
  if (first.answer.kind !== "refused") return first;
  const offered = supportedVersions(first.answer.error);
  const common = VERSIONS.find((version) => version !== newest && offered.includes(version));
  return common === undefined ? first : open(talk, client, common);
}

function open(talk: Conversation, clientInfo: Client, protocolVersion: string): Promise<McpReply> {
  return talk.ask({
    method: "initialize",
    params: { protocolVersion, capabilities: {}, clientInfo },
    opens: true,
    report: (answer) => reportOf(answer, ({ result }) => versionIn(result.protocolVersion)),
  });
}

function versionIn(version: unknown): string {
  return isVersion(version) ? version : "answered without a protocol version";
}

async function pinged(talk: Conversation, identity: Identity): Promise<Look> {
  const { answer } = await talk.ask({ method: "ping" });
  return answer.kind === "result" ? healthy(identity, undefined) : judged("ping", answer, identity);
}

async function listed(talk: Conversation, identity: Identity): Promise<Look> {
  const tools = await listTools(talk);
  return "kind" in tools ? judged("tools/list", tools, identity) : healthy(identity, tools);
}

/**
 * A server with one session for all its life cannot be looked at this way. While that session lasts it refuses another;
 * afterwards it looks for one, though none was named.
 */
function withHint(look: Look): Look {
  if (!/already initialized|session not found/i.test(look.evidence)) return look;
  return { ...look, evidence: `${look.evidence}; it takes one session only: give it the readiness "tcp"` };
}
