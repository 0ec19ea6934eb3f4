import type { StdioMcp } from "./mcp-fields.ts";
import type { ServerSpec } from "./spec.ts";
import { formatDuration } from "./units.ts";

/** What a bridge is told when it is started for a server. Its token is in its environment: see `bridge-token.ts`. */

/** What its children get as NODE_OPTIONS: the bridge itself would follow those too. */
export const CHILD_NODE_OPTIONS = "XY_BRIDGE_NODE_OPTIONS";

type Written = string | number | readonly string[] | undefined;

/** What is declared of a server that speaks over stdin and stdout, by the flag of `xy bridge` that says it. */
const BRIDGE_WORDS: Readonly<
  Record<string, (mcp: StdioMcp, spec: Pick<ServerSpec, "port" | "host">) => Written>
> = {
  port: (_, { port }) => port ?? undefined,
  host: (_, { host }) => host,
  path: ({ path }) => path,
  share: ({ share }) => share,
  start: ({ start }) => start,
  "idle-stop": ({ idleStop }) => (idleStop === undefined ? undefined : formatDuration(idleStop)),
  "max-sessions": ({ maxSessions }) => maxSessions,
  "max-children": ({ maxChildren }) => maxChildren,
  capability: ({ capabilities }) => capabilities,
  "allow-host": ({ allowHosts }) => allowHosts,
  "allow-origin": ({ allowOrigins }) => allowOrigins,
};

/** The arguments of the bridge that serves it, up to the server's own command. */
export function bridgeWords(mcp: StdioMcp, spec: Pick<ServerSpec, "port" | "host">): string[] {
  return Object.entries(BRIDGE_WORDS).flatMap(([flag, said]) =>
    [said(mcp, spec) ?? []].flat().map((value) => `--${flag}=${value}`),
  );
}
