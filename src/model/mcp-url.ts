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

/** The same, and of a server whose readiness is asked for over HTTP its front page; undefined where nothing says that one speaks HTTP. */
export function serverUrl(spec: Listening & Pick<ServerSpec, "readiness">): string | undefined {
  const { port, readiness, mcp } = spec;
  const isHttp = readiness.type === "http" && readiness.host === undefined && readiness.port === port;
  return clientUrl(mcp === null && isHttp ? { ...spec, mcp: { path: "/" } } : spec);
}
