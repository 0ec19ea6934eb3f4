import { MOST_NAMED } from "../model/bridge-place.ts";
import type { BridgeStatus } from "../model/bridge-status.ts";
import { isObject } from "../model/object.ts";
import type { McpFacts } from "../model/probe-report.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { Children } from "./children.ts";
import type { Session } from "./session.ts";

/** What a bridge tells xy: who its clients are, which children run, and whether the server works. */

const MOST = { tools: 1000, words: 100 };
/** The first version without sessions. */
const MODERN = "2026-07-28";

export function statusOf(children: Children, sessions: readonly Session[]): BridgeStatus {
  const { proven, running, share, start, isAsleep } = children;
  const newest = sessions.toSorted((a, b) => b.usedAt - a.usedAt).slice(0, MOST_NAMED);
  return {
    works: proven.ok,
    ...(proven.ok ? {} : withoutUndefined({ reason: proven.reason, next_start_at_unix_ms: proven.nextAt })),
    ...withoutUndefined({ mcp: factsOf(children) }),
    bridge: {
      ...{ share, start, sleeping: isAsleep },
      sessions: newest.map(({ label, introduction, openedAt, usedAt, streams, calls }) => ({
        id: label,
        ...withoutUndefined({ client: clientIn(introduction) }),
        ...{ opened_at_unix_ms: openedAt, used_at_unix_ms: usedAt, streams, calls: calls.size },
      })),
      session_count: sessions.length,
      children: running.slice(0, MOST_NAMED).map(({ pid, startedAt, session, isBusy }) => ({
        ...{ pid, started_at_unix_ms: startedAt, busy: isBusy },
        ...withoutUndefined({ session }),
      })),
      child_count: running.length,
    },
  };
}

function clientIn({ clientInfo }: Readonly<Record<string, unknown>>): string | undefined {
  const { name, version } = isObject(clientInfo) ? clientInfo : {};
  const known = [name, version].filter((word) => typeof word === "string" && word !== "");
  return known.length === 0 ? undefined : known.map((word) => cut(word as string)).join(" ");
}

/** What the server said of itself when it was tried. */
function factsOf(children: Children): McpFacts | undefined {
  const greeting = resultIn(children.greeting);
  if (greeting === undefined) return undefined;
  const { protocolVersion, serverInfo } = greeting;
  const { name, version } = isObject(serverInfo) ? serverInfo : {};
  return {
    ...withoutUndefined({
      protocolVersion: worded(protocolVersion),
      serverName: worded(name),
      serverVersion: worded(version),
      tools: toolsIn(resultIn(children.listed("tools/list"))),
    }),
    era: typeof protocolVersion === "string" && protocolVersion >= MODERN ? "modern" : "legacy",
    authorization: "none",
  };
}

function resultIn(answer: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const { result } = JSON.parse(answer ?? "{}");
  return isObject(result) ? result : undefined;
}

function toolsIn(listed: Readonly<Record<string, unknown>> | undefined): string[] | undefined {
  if (!Array.isArray(listed?.tools)) return undefined;
  return listed.tools
    .slice(0, MOST.tools)
    .flatMap((tool) => (isObject(tool) && typeof tool.name === "string" ? [cut(tool.name)] : []));
}

const worded = (word: unknown) => (typeof word === "string" ? cut(word) : undefined);
const cut = (word: string) => word.slice(0, MOST.words);
