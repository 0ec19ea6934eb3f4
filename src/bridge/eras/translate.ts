import { isObject } from "../../model/object.ts";
import { VERSIONS } from "../versions.ts";
import { KEY, MODERN, metaOf } from "./envelope.ts";
import { rawAt, withMembers, withoutMembers } from "./members.ts";

/** Messages of one era in the words of the other. Pure. */

type Values = Readonly<Record<string, unknown>>;

/** Results that a client may keep: how long, and for whom. */
const KEPT = /^(tools|prompts|resources|resources\/templates)\/list$|^resources\/read$|^server\/discover$/;

/** The answer to `initialize` of a server that was asked to discover itself. `discovered`, as the answer, has id 0. */
export function greetingFrom(discovered: string, version = VERSIONS[0]): string {
  const result = resultIn(discovered);
  const answer = {
    protocolVersion: version,
    capabilities: isObject(result.capabilities) ? result.capabilities : {},
    serverInfo: metaOf(result)[KEY.server] ?? { name: "unnamed", version: "0" },
    instructions: result.instructions,
  };
  return JSON.stringify({ jsonrpc: "2.0", id: 0, result: answer });
}

/** The answer to `server/discover` of a server that was initialized. */
export function discoveryFrom(greeting: string): string {
  const { capabilities, serverInfo, instructions } = resultIn(greeting);
  const { tasks: _, ...known } = isObject(capabilities) ? capabilities : {};
  const result = { supportedVersions: [MODERN], capabilities: known, instructions };
  const answer = JSON.stringify({ jsonrpc: "2.0", id: 0, result });
  return withMembers(modernResult(answer, "server/discover"), ["result", "_meta"], {
    [KEY.server]: serverInfo,
  });
}

/** A request for a server without sessions. */
export function modernRequest(text: string, envelope: Values): string {
  return withMembers(text, ["params", "_meta"], envelope);
}

/** A request for a server with sessions. */
export function legacyRequest(text: string): string {
  return withoutMembers(text, ["params", "_meta"], [KEY.version, KEY.client, KEY.capabilities, KEY.level]);
}

/** An answer of a server with sessions, for a client of the version without. */
export function modernResult(text: string, method: string): string {
  if (rawAt(text, ["result"]) === undefined) return text;
  const kept = KEPT.test(method) ? { ttlMs: 0, cacheScope: "private" } : {};
  return withMembers(text, ["result"], { resultType: "complete", ...kept });
}

/** An answer of a server without sessions, for a client of the versions with. */
export function legacyResult(text: string): string {
  const bare = withoutMembers(text, ["result"], ["resultType", "ttlMs", "cacheScope"]);
  const own = withoutMembers(bare, ["result", "_meta"], [KEY.server]);
  return rawAt(own, ["result", "_meta"])?.text === "{}" ? withoutMembers(own, ["result"], ["_meta"]) : own;
}

/** What a client with sessions says that it can do, as far as a server without knows of it. */
export function modernCapabilities(capabilities: unknown): Values {
  if (!isObject(capabilities)) return {};
  const { experimental, sampling, elicitation, roots, extensions } = capabilities;
  return { experimental, sampling, elicitation, roots, extensions };
}

/** News for a stream of `subscriptions/listen`. */
export function stamped(text: string, subscription: unknown): string {
  return withMembers(text, ["params", "_meta"], { [KEY.subscription]: subscription });
}

/** News of such a stream, for a client that has sessions. */
export function unstamped(text: string): string {
  const bare = withoutMembers(text, ["params", "_meta"], [KEY.subscription]);
  return rawAt(bare, ["params", "_meta"])?.text === "{}" ? withoutMembers(bare, ["params"], ["_meta"]) : bare;
}

export function resultIn(text: string): Values {
  const { result } = JSON.parse(text);
  return isObject(result) ? result : {};
}
