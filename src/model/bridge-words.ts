import type { StdioMcp } from "./mcp-fields.ts";
import type { ServerSpec } from "./spec.ts";
import { formatDuration } from "./units.ts";

/** What a bridge is told when it is started for a server. Its token is in its environment: see `bridge-token.ts`. */

/** What its children get as NODE_OPTIONS: the bridge itself would follow those too. */
export const CHILD_NODE_OPTIONS = "XY_BRIDGE_NODE_OPTIONS";

type Written = string | number | readonly string[] | undefined;

type Said = Pick<ServerSpec, "port" | "host" | "restart">;

/** Of a server's restart settings, what its bridge follows. */
export type BridgeRestart = Pick<
  ServerSpec["restart"],
  "policy" | "backoffInitial" | "backoffMax" | "resetAfter"
>;

/** What a bridge follows that is told nothing. */
const USUAL: BridgeRestart = {
  ...{ policy: "on-failure", backoffInitial: 1000, backoffMax: 30_000, resetAfter: 10_000 },
};

/** What is declared of a server that speaks over stdin and stdout, by the flag of `xy bridge` that says it. */
const BRIDGE_WORDS: Readonly<Record<string, (mcp: StdioMcp, spec: Said) => Written>> = {
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
  restart: (_, { restart: { policy } }) => (policy === USUAL.policy ? undefined : policy),
  "backoff-initial": (_, { restart }) => unusual(restart, "backoffInitial"),
  "backoff-max": (_, { restart }) => unusual(restart, "backoffMax"),
  "reset-after": (_, { restart }) => unusual(restart, "resetAfter"),
};

function unusual(
  restart: ServerSpec["restart"],
  key: "backoffInitial" | "backoffMax" | "resetAfter",
): Written {
  return restart[key] === USUAL[key] ? undefined : formatDuration(restart[key]);
}

/** The arguments of the bridge that serves it, up to the server's own command. */
export function bridgeWords(mcp: StdioMcp, spec: Said): string[] {
  return Object.entries(BRIDGE_WORDS).flatMap(([flag, said]) =>
    [said(mcp, spec) ?? []].flat().map((value) => `--${flag}=${value}`),
  );
}

/** What the arguments of a bridge say of the server, and the server's own command. */
export interface Bridged {
  readonly port?: number;
  readonly host?: string;
  /** Settings as they are written in its block. */
  readonly mcp: Readonly<Record<string, string | number | readonly string[]>>;
  readonly command: readonly string[];
}

/** The reverse of {@link bridgeWords}. Undefined: they are of no bridge of xy's. `as`: what a word stands for. */
export function readBridgeWords(
  words: readonly string[],
  as: (word: string) => string = (word) => word,
): Bridged | undefined {
  const end = words.indexOf("--");
  const said = new Map<string, string[]>();
  for (const word of end < 0 ? [] : words.slice(0, end)) {
    const [, flag, value] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (flag === undefined || value === undefined) return undefined;
    said.set(flag, [...(said.get(flag) ?? []), as(value)]);
  }
  const port = Number(said.get("port")?.[0]);
  if (!Number.isInteger(port) || words.length === end + 1) return undefined;
  const [host] = said.get("host") ?? [];
  const mcp = Object.entries(SETTINGS).flatMap(([flag, { setting, is }]) => {
    const values = said.get(flag);
    return values === undefined ? [] : [[setting, is === "many" ? values : is(values[0] ?? "")] as const];
  });
  return {
    ...{ port, mcp: Object.fromEntries(mcp), command: words.slice(end + 1) },
    ...(host === undefined ? {} : { host }),
  };
}

/** What is no number is said as it is, for the check to refuse. */
function wholeOr(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The setting that a flag says, and what its value is. Others, such as the folder of sessions, are xy's to choose. */
const SETTINGS: Readonly<
  Record<string, { setting: string; is: "many" | ((text: string) => string | number) }>
> = {
  path: { setting: "path", is: String },
  share: { setting: "share", is: String },
  start: { setting: "start", is: String },
  "idle-stop": { setting: "idleStop", is: String },
  "max-sessions": { setting: "maxSessions", is: wholeOr },
  "max-children": { setting: "maxChildren", is: wholeOr },
  capability: { setting: "capabilities", is: "many" },
  "allow-host": { setting: "allowHosts", is: "many" },
  "allow-origin": { setting: "allowOrigins", is: "many" },
};
