import type { ServerSpec } from "./spec.ts";

/** Addresses on which a server listens, and where it is then reached from this machine. */
const REACHED_AT: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

type Listening = Pick<ServerSpec, "host" | "port" | "mcp">;

/** Where an MCP server listens; undefined for other servers. */
export function mcpUrl({ host, port, mcp }: Listening): string | undefined {
  if (mcp === null || port === null) return undefined;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${mcp.path}`;
}

/** What a client on this machine connects to; undefined for servers that are none of MCP. */
export function clientUrl(spec: Listening): string | undefined {
  return mcpUrl({ ...spec, host: REACHED_AT[spec.host] ?? spec.host });
}
