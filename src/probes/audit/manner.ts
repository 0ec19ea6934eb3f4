import { isObject } from "../../model/object.ts";
import { isVersion } from "../mcp-answer.ts";
import { told } from "../untrusted.ts";
import type { Knock, Knocker, Reply } from "./knocker.ts";

/** How the server is asked by those who should be answered: what every other request of an audit is compared with. */

const MODERN = "2026-07-28";
export const NO_VERSION = "1999-01-01";
const CLIENT = { name: "xy-audit", version: "1" };
const META = "io.modelcontextprotocol";

export interface Manner {
  /** `closed`: it answers nobody without a token. */
  readonly kind: "legacy" | "modern" | "closed";
  /** A request that changes nothing, and is answered. Of one that is closed: that would be, with a token. */
  readonly harmless: Knock;
  readonly session?: string | undefined;
  readonly version?: string | undefined;
  /** In one line. */
  readonly server: string;
  /** What came of the opening of each era. */
  readonly initialize: Reply;
  readonly discover: Reply;
}

export const initializeWith = (protocolVersion: string): Knock => ({
  rpc: { method: "initialize", params: { protocolVersion, capabilities: {}, clientInfo: CLIENT } },
});

export const discover = (method = "server/discover"): Knock => ({
  rpc: {
    method: "server/discover",
    params: {
      _meta: {
        [`${META}/protocolVersion`]: MODERN,
        [`${META}/clientCapabilities`]: {},
        [`${META}/clientInfo`]: CLIENT,
      },
    },
  },
  headers: { "MCP-Protocol-Version": MODERN, "Mcp-Method": method },
});

/** Finds out how the server is asked; a string says why it cannot be. */
export async function mannerOf(knocker: Knocker): Promise<Manner | string> {
  const discovered = await knocker.ask(discover());
  const introduced = await knocker.ask(initializeWith("2025-11-25"));
  const both = { initialize: introduced, discover: discovered };
  const legacy = resultOf(introduced);
  if (legacy !== undefined) {
    const { session } = introduced;
    const version = isVersion(legacy.protocolVersion) ? legacy.protocolVersion : undefined;
    const headers = {
      ...(session === undefined ? {} : { "Mcp-Session-Id": session }),
      ...(version === undefined ? {} : { "MCP-Protocol-Version": version }),
    };
    await knocker.ask({
      body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
      headers,
    });
    const server = nameOf(`legacy ${version ?? "?"}`, legacy.serverInfo);
    for (const method of ["ping", "tools/list"]) {
      const harmless = { rpc: { method }, headers };
      if (resultOf(await knocker.ask(harmless)) !== undefined)
        return { kind: "legacy", harmless, session, version, server, ...both };
    }
    return { kind: "legacy", harmless: initializeWith("2025-11-25"), session, version, server, ...both };
  }
  const modern = resultOf(discovered);
  if (modern !== undefined) {
    const server = nameOf(`modern ${MODERN}`, modern.serverInfo);
    return { kind: "modern", harmless: discover(), server, ...both };
  }
  if (introduced.status === 401)
    return { kind: "closed", harmless: initializeWith("2025-11-25"), server: "wants a token", ...both };
  return `it does not answer as an MCP server: initialize ${seenOf(introduced)}`;
}

export const resultOf = ({ status, answer }: Reply) =>
  status >= 200 && status < 300 && answer?.kind === "result" ? answer.result : undefined;

/** What came back: a clause. */
export function seenOf({ status, answer, refusal }: Reply): string {
  if (status === 0) return refusal ?? "gave no answer";
  const said =
    answer?.kind === "error" ? `, error ${answer.error.code}: ${told(answer.error.message, 80)}` : "";
  return `answered ${status}${said}`;
}

function nameOf(era: string, info: unknown): string {
  const { name, version } = isObject(info) ? info : {};
  const own = [name, version].flatMap((one) => (typeof one === "string" ? [told(one, 60)] : []));
  return [era, own.join(" ")].filter((part) => part !== "").join(", ");
}
