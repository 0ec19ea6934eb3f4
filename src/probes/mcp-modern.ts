import { isObject } from "../model/object.ts";
import { type Answer, supportedVersions, versionsIn } from "./mcp-answer.ts";
import { type Conversation, reportOf } from "./mcp-conversation.ts";
import { type Client, healthy, type Identity, judged, type Look, listTools, nameIn } from "./mcp-look.ts";

/** The version of the modern era that this probe speaks. */
const VERSION = "2026-07-28";
const META = "io.modelcontextprotocol";

/**
 * Probes a server the modern way. Undefined if it answers like one of the legacy era, and should be asked that way; never
 * if it is `known` to be modern.
 */
export async function modernLook(
  talk: Conversation,
  client: Client,
  known: boolean,
): Promise<Look | undefined> {
  const params = {
    _meta: {
      [`${META}/protocolVersion`]: VERSION,
      [`${META}/clientCapabilities`]: {},
      [`${META}/clientInfo`]: client,
    },
  };
  talk.standing = { "MCP-Protocol-Version": VERSION };
  const { answer } = await talk.ask({
    method: "server/discover",
    params,
    headers: { "Mcp-Method": "server/discover" },
    report: (opening) => reportOfOpening(opening, known),
  });
  if (!known && isLegacy(answer)) {
    talk.standing = {};
    return undefined;
  }
  if (answer.kind !== "result" && !speaksOurs(answer))
    return judged(`server/discover at ${talk.path}`, answer);
  const identity = identityIn(answer);
  if (hasNoTools(answer)) return healthy(identity, undefined);
  const tools = await listTools(talk, { params, headers: { "Mcp-Method": "tools/list" } });
  return "kind" in tools ? judged(`tools/list at ${talk.path}`, tools, identity) : healthy(identity, tools);
}

/** It answers, but does not seem to share this version with us. */
function isLegacy(answer: Answer): boolean {
  if (answer.kind === "refused") return !speaksOurs(answer);
  return answer.kind === "result" && !speaks(versionsIn(answer.result.supportedVersions), true);
}

/** It refuses the requested version, although it lists it as supported. */
function speaksOurs(answer: Answer): boolean {
  return (
    answer.kind === "refused" &&
    answer.error?.code === -32022 &&
    speaks(supportedVersions(answer.error), false)
  );
}

function speaks(versions: readonly string[], whenNoneNamed: boolean): boolean {
  return versions.length === 0 ? whenNoneNamed : versions.includes(VERSION);
}

function identityIn(answer: Answer): Identity {
  const result = answer.kind === "result" ? answer.result : {};
  const meta = isObject(result._meta) ? result._meta : {};
  return { era: "modern", protocolVersion: VERSION, ...nameIn(meta[`${META}/serverInfo`]) };
}

function hasNoTools(answer: Answer): boolean {
  if (answer.kind !== "result") return false;
  const { capabilities } = answer.result;
  return isObject(capabilities) && capabilities.tools === undefined;
}

function reportOfOpening(answer: Answer, known: boolean) {
  if (known || !isLegacy(answer)) return reportOf(answer, () => VERSION);
  const detail = answer.kind === "refused" ? answer.detail : "names no version that xy speaks";
  return { ok: true, detail: `not of the modern era (${detail})` };
}
