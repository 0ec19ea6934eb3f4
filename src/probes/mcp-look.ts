import { isObject } from "../model/object.ts";
import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { RpcResult } from "./json-rpc.ts";
import type { Answer } from "./mcp-answer.ts";
import { type McpRequest, reportOf, type Talk } from "./mcp-conversation.ts";
import { told } from "./untrusted.ts";

/** What both eras share: who the server is, which tools it lists, and how that is judged. */

export type Look = Omit<ProbeReport, "steps">;
/** What is known about a server that has answered the opening. */
export type Identity = Omit<McpFacts, "tools" | "authorization">;

export interface Client {
  readonly name: string;
  readonly version: string;
}

/** Most pages of a tool list, and most tools, that a probe reads. */
const MOST_PAGES = 20;
const MOST_TOOLS = 1000;

export type Tools = { readonly names: readonly string[]; readonly whole: boolean };

/** The names that the server lists, up to those bounds; or the answer, if it is not a list. */
export async function listTools(
  talk: Talk,
  request: Pick<McpRequest, "params" | "headers"> = {},
): Promise<Tools | Exclude<Answer, { kind: "result" }>> {
  const names: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES && names.length < MOST_TOOLS; page++) {
    const params = { ...request.params, ...withoutUndefined({ cursor }) };
    const { answer } = await talk.ask({
      ...request,
      method: "tools/list",
      ...(Object.keys(params).length > 0 && { params }),
      report: (listed) => reportOf(listed, ({ result }) => `${namesIn(result).length} tools`),
    });
    if (answer.kind !== "result") return answer;
    names.push(...namesIn(answer.result).slice(0, MOST_TOOLS - names.length));
    const { nextCursor } = answer.result;
    if (typeof nextCursor !== "string" || nextCursor === cursor)
      return { names, whole: names.length < MOST_TOOLS };
    cursor = nextCursor;
  }
  return { names, whole: false };
}

function namesIn({ tools }: RpcResult): string[] {
  const list: readonly unknown[] = Array.isArray(tools) ? tools.slice(0, MOST_TOOLS) : [];
  return list.flatMap((tool) =>
    isObject(tool) && typeof tool.name === "string" ? [told(tool.name, 128)] : [],
  );
}

/** A server's name and version, as it reports them. */
export function nameIn(info: unknown): Pick<Identity, "serverName" | "serverVersion"> {
  if (!isObject(info)) return {};
  const { name, version } = info;
  return {
    ...(typeof name === "string" && { serverName: told(name, 100) }),
    ...(typeof version === "string" && { serverVersion: told(version, 50) }),
  };
}

/** `legacy 2025-06-18, mcp-servers/everything 2.0.0` */
function nameOf({ era, protocolVersion, transport, serverName, serverVersion }: Identity): string {
  const parts = [
    [era, protocolVersion, transport === "http+sse" ? "over HTTP+SSE" : undefined],
    [serverName, serverVersion],
  ];
  return parts
    .map((part) => part.filter((word) => word !== undefined && word !== "").join(" "))
    .filter((part) => part !== "")
    .join(", ");
}

/** A server that answered everything; no tools: it reports that it has none. */
export function healthy(identity: Identity, tools: Tools | undefined): Look {
  const mcp: McpFacts = { ...identity, ...(tools && { tools: [...tools.names] }), authorization: "none" };
  return { ok: true, evidence: `${nameOf(identity)}, ${countOf(tools)}`, mcp };
}

function countOf(tools: Tools | undefined): string {
  const count = tools?.names.length ?? 0;
  if (count === 0) return "no tools";
  return `${tools?.whole === false ? "at least " : ""}${count} ${count === 1 ? "tool" : "tools"}`;
}

/** A server that did not answer this request with a result: `tools/list at /mcp`. */
export function judged(
  step: string,
  answer: Exclude<Answer, { kind: "result" }>,
  identity: Identity = {},
): Look {
  const known = Object.keys(identity).length > 0;
  if (answer.kind === "unauthorized")
    return {
      ok: true,
      evidence: `up, and wants authorization (${step}: ${answer.detail})`,
      mcp: { ...identity, authorization: "required" },
    };
  return {
    ok: false,
    evidence: `${step}: ${answer.detail}`,
    ...(known && { mcp: { ...identity, authorization: "none" } }),
  };
}
