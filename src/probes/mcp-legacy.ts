import { isObject } from "../model/object.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { type Answer, isVersion, supportedVersions } from "./mcp-answer.ts";
import { type McpReply, reportOf, type Talk } from "./mcp-conversation.ts";
import { type Client, healthy, type Identity, judged, type Look, listTools, nameIn } from "./mcp-look.ts";

/** The versions of the legacy era, newest first. A server answers with the one that it wants. */
const VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

/** The result of the legacy way, and the HTTP status with which the opening was refused. */
export interface LegacyLook {
  readonly look: Look;
  readonly refusedWith?: number;
}

interface Way {
  /** What is known about the server in any case. */
  readonly facts?: Identity;
  /** Called once the server has answered the opening and turns out to be stateless: it keeps nothing between requests. */
  readonly alone?: () => void;
}

/** Probes a server the legacy way: opens a session, confirms that, and lists its tools, or pings if it has none. */
export async function legacyLook(
  talk: Talk,
  client: Client,
  { facts = {}, alone }: Way = {},
): Promise<LegacyLook> {
  const { answer, session } = await initialize(talk, client);
  if (answer.kind !== "result") {
    const status = answer.kind === "refused" ? statusOf(answer) : undefined;
    const look = withHint(judged(`initialize at ${talk.path}`, answer));
    return { look, ...withoutUndefined({ refusedWith: status }) };
  }
  const { protocolVersion, serverInfo, capabilities } = answer.result;
  if (!isVersion(protocolVersion)) return { look: judged(`initialize at ${talk.path}`, NOT_MCP) };
  const identity: Identity = { era: "legacy", protocolVersion, ...nameIn(serverInfo), ...facts };
  talk.standing = {
    "MCP-Protocol-Version": protocolVersion,
    ...(session !== undefined && { "Mcp-Session-Id": session }),
  };
  const look = isObject(capabilities) && capabilities.tools === undefined ? pinged : listed;
  const isAlone = session === undefined && alone !== undefined;
  if (isAlone) {
    alone();
    const seen = await look(talk, identity);
    if (seen !== undefined) return { look: seen };
  }
  const told = await talk.tell("notifications/initialized");
  if (told.kind !== "result")
    return { look: judged(`notifications/initialized at ${talk.path}`, told, identity) };
  return { look: (await look(talk, identity, true)) as Look };
}

const NOT_MCP = {
  kind: "refused",
  detail: "answered without a protocol version: this is not MCP",
} as const;

/** The status of a refusal by plain HTTP: an answer in JSON-RPC means that it is this transport. */
function statusOf({ status, error }: Extract<Answer, { kind: "refused" }>): number | undefined {
  return status === 404 || status === 405 || error === undefined ? status : undefined;
}

/** Opens a session; a server that refuses our version and names an older one is asked again with that. */
async function initialize(talk: Talk, client: Client): Promise<McpReply> {
  const newest = VERSIONS[0];
  const first = await open(talk, client, newest);
  if (first.answer.kind !== "refused") return first;
  const offered = supportedVersions(first.answer.error);
  const common = VERSIONS.find((version) => version !== newest && offered.includes(version));
  return common === undefined ? first : open(talk, client, common);
}

function open(talk: Talk, clientInfo: Client, protocolVersion: string): Promise<McpReply> {
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

/** Undefined if it refuses, which may be because it was not told that the opening is complete. */
async function pinged(talk: Talk, identity: Identity, isTold = false): Promise<Look | undefined> {
  const { answer } = await talk.ask({ method: "ping" });
  if (answer.kind === "result") return healthy(identity, undefined);
  return verdict(talk, "ping", answer, identity, isTold);
}

async function listed(talk: Talk, identity: Identity, isTold = false): Promise<Look | undefined> {
  const tools = await listTools(talk);
  return "kind" in tools ? verdict(talk, "tools/list", tools, identity, isTold) : healthy(identity, tools);
}

function verdict(
  { path }: Talk,
  method: string,
  answer: Exclude<Answer, { kind: "result" }>,
  identity: Identity,
  isTold: boolean,
): Look | undefined {
  return answer.kind === "refused" && !isTold ? undefined : judged(`${method} at ${path}`, answer, identity);
}

/**
 * A server with one session for its whole life cannot be probed this way. While that session lasts, it refuses another;
 * afterwards, it expects one although none was named.
 */
function withHint(look: Look): Look {
  if (!/already initialized|session not found/i.test(look.evidence)) return look;
  return { ...look, evidence: `${look.evidence}; it accepts only one session: give it the readiness "tcp"` };
}
