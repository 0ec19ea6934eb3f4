import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import { Conversation, type McpPlace } from "./mcp-conversation.ts";
import { legacyLook } from "./mcp-legacy.ts";
import { type Client, judged, type Look } from "./mcp-look.ts";
import { modernLook } from "./mcp-modern.ts";
import { SseTalk } from "./mcp-sse.ts";

export interface McpTarget extends McpPlace {
  /** What an earlier probe of this very process found: the other era is not tried. */
  readonly era?: McpFacts["era"];
  /** The same, of one that is spoken to over HTTP+SSE: where that is. */
  readonly ssePath?: string;
  /** The version of xy, which a server is told. */
  readonly clientVersion: string;
}

/** Where a server is that says nothing else, and where one is that knows only HTTP+SSE. */
const USUAL_PATH = "/mcp";
const USUAL_SSE_PATH = "/sse";
/** Of HTTP: what is asked for in a newer way than a server knows. Clients try the older way then. */
const OLDER: readonly (number | undefined)[] = [400, 404, 405];
/** There is nothing at this path at all. */
const NOT_THERE: readonly (number | undefined)[] = [404, 405];

/**
 * A whole exchange with an MCP server, as a client would open it: it is healthy when it answers with a result of its own
 * to our id, up to its list of tools. Each way to open it takes `timeoutMs` at most, with what follows; where a server
 * keeps nothing between two requests, and may start a process for each, every one has that time. Then it takes a second
 * more to end a session that was opened. Never rejects because of the server.
 */
export async function mcpProbe(target: McpTarget): Promise<ProbeReport> {
  const talk = new Conversation(target);
  try {
    return { ...(await lookAt(target, talk)), steps: talk.steps };
  } finally {
    await talk.end();
  }
}

async function lookAt(target: McpTarget, talk: Conversation): Promise<Look> {
  const { era, ssePath } = target;
  const client = { name: "xy", version: target.clientVersion };
  const older = (path: string) => sseLook({ ...target, path }, path !== target.path, talk, client);
  if (ssePath !== undefined) return evenSo(await older(ssePath), ssePath);
  const modern = era === "legacy" ? undefined : await modernLook(talk, client, era === "modern");
  if (modern) return modern;
  talk.renew();
  const { look, refusedWith } = await legacyLook(talk, client, { alone: () => talk.renew(true) });
  if (!OLDER.includes(refusedWith)) return look;
  const here = await older(target.path);
  if (here.look) return here.look;
  // Whoever has not said where it is gets to know.
  const isUsual = target.path === USUAL_PATH && NOT_THERE.includes(refusedWith);
  const there = isUsual ? await older(USUAL_SSE_PATH) : here;
  if (there.look?.ok) return there.look;
  // That the path does not take a GET either is no news.
  const isNews = here.status !== 0 && !OLDER.includes(here.status) && here.status >= 400;
  return isNews ? { ...look, evidence: `${look.evidence}; GET ${talk.path}: ${here.detail}` } : look;
}

type SseLook =
  | { readonly look: Look }
  /** What is there is none of this transport. */
  | { readonly look?: never; readonly status: number; readonly detail: string };

/** Looks at a server over HTTP+SSE. `isElsewhere`: at another path than was asked for. */
async function sseLook(
  place: McpPlace,
  isElsewhere: boolean,
  { steps }: Conversation,
  client: Client,
): Promise<SseLook> {
  const talk = new SseTalk(place, steps);
  try {
    const opened = await talk.open();
    if (opened.kind === "other") return opened;
    if (opened.kind === "bad") return { look: judged(`GET ${talk.path}`, opened.answer) };
    const facts = { transport: "http+sse", ...(isElsewhere ? { path: place.path } : {}) };
    const { look } = await legacyLook(talk, client, { facts });
    return { look: isElsewhere ? { ...look, evidence: `${look.evidence}; ${movedTo(place.path)}` } : look };
  } finally {
    await talk.end();
  }
}

const movedTo = (path: string) => `at ${path}, not at ${USUAL_PATH}: write \`mcp { path "${path}"; }\``;

/** It spoke this transport before, and no other. */
function evenSo(seen: SseLook, path: string): Look {
  if (seen.look) return seen.look;
  const { status, detail } = seen;
  return judged(`GET ${path}`, { kind: "refused", detail, status });
}
