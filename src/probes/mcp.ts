import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import { Conversation, type McpPlace } from "./mcp-conversation.ts";
import { legacyLook } from "./mcp-legacy.ts";
import { type Client, judged, type Look } from "./mcp-look.ts";
import { modernLook } from "./mcp-modern.ts";
import { SseTalk } from "./mcp-sse.ts";

export interface McpTarget extends McpPlace {
  /** What an earlier probe of this very process found; the other era is then not tried. */
  readonly era?: McpFacts["era"];
  /** The same for a server that speaks HTTP+SSE: its path. */
  readonly ssePath?: string;
  /** xy's version, as sent to the server. */
  readonly clientVersion: string;
}

/** The default path, and that of a server that only knows HTTP+SSE. */
const USUAL_PATH = "/mcp";
const USUAL_SSE_PATH = "/sse";
/** HTTP statuses for a request in a way too new for the server. Clients then try the older way. */
const OLDER: readonly (number | undefined)[] = [400, 404, 405];
/** HTTP status: nothing exists at this path. */
const NOT_THERE: readonly (number | undefined)[] = [404, 405];

/**
 * A whole exchange with an MCP server, as a client would make it: the server is healthy if it answers each request with a
 * result for our id, up to its list of tools. Each way to open it takes `timeoutMs` at most, with what follows. For a
 * stateless server, which may start a process for each request, every request gets that time. Ending a session takes up
 * to a second more. Never rejects because of the server.
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
  // The path was not configured: say where it is.
  const isUsual = target.path === USUAL_PATH && NOT_THERE.includes(refusedWith);
  const there = isUsual ? await older(USUAL_SSE_PATH) : here;
  if (there.look?.ok) return there.look;
  // That the path does not accept GET either says nothing new.
  const isNews = here.status !== 0 && !OLDER.includes(here.status) && here.status >= 400;
  return isNews ? { ...look, evidence: `${look.evidence}; GET ${talk.path}: ${here.detail}` } : look;
}

type SseLook =
  | { readonly look: Look }
  /** What is there does not speak this transport. */
  | { readonly look?: never; readonly status: number; readonly detail: string };

/** Probes a server over HTTP+SSE. `isElsewhere`: at another path than the one asked for. */
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

/** It spoke only this transport before. */
function evenSo(seen: SseLook, path: string): Look {
  if (seen.look) return seen.look;
  const { status, detail } = seen;
  return judged(`GET ${path}`, { kind: "refused", detail, status });
}
