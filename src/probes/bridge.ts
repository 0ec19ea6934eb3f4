import { STATUS_PATH } from "../model/bridge-place.ts";
import { type BridgeStatus, bridgeStatus } from "../model/bridge-status.ts";
import { span } from "../model/elapsed.ts";
import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import { statusText } from "./http.ts";
import { deadlineIn, exchange } from "./http-request.ts";
import { healthy } from "./mcp-look.ts";
import { Steps } from "./steps.ts";
import { told } from "./untrusted.ts";

/** Where a bridge of xy's listens. */
export interface BridgePlace {
  readonly address: string;
  readonly port: number;
  /** The `Host` header, with the port where it needs one. */
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const STEP = `GET ${STATUS_PATH}`;

/**
 * Asks a bridge whether the server behind it works. It was asked that when it started, and after each crash: so the
 * question neither wakes a server that sleeps nor opens a session. `what`: a bridge that answers is alive, whatever its
 * server does. Never rejects.
 */
export async function bridgeProbe(
  place: BridgePlace,
  what: "readiness" | "liveness",
  now = Date.now(),
): Promise<ProbeReport> {
  const steps = new Steps();
  const asked = await askBridge(place);
  if (typeof asked === "string") {
    const { steps: taken } = steps.bad(STEP, asked);
    return { ok: false, evidence: `${STEP}: ${asked}`, steps: taken };
  }
  const { works, reason = "", next_start_at_unix_ms: next, mcp, bridge } = asked;
  const said = { bridge, ...(mcp ? { mcp } : {}) };
  if (works) {
    const { tools: names, ...identity } = mcp ?? { authorization: "none" };
    const { evidence } = healthy(identity, names && { names, whole: true });
    return { ...steps.good(STEP, evidence), ...said };
  }
  const again = next === undefined ? "" : `; it is started again in ${span(Math.max(0, next - now))}`;
  const evidence = `the server behind the bridge does not work: ${told(reason, 400)}${again}`;
  const report =
    what === "liveness" ? steps.good(STEP, `the bridge answers; ${evidence}`) : steps.bad(STEP, evidence);
  return { ...report, ...said };
}

/** What it tells; a text is why it tells nothing. */
async function askBridge({ timeoutMs, ...place }: BridgePlace): Promise<BridgeStatus | string> {
  const pieces: Buffer[] = [];
  const { head, refusal } = await exchange(
    { ...place, method: "GET", path: STATUS_PATH, deadline: deadlineIn(timeoutMs) },
    ({ status }) => {
      if (status !== 200) return undefined;
      return (piece) => {
        pieces.push(piece);
        return false;
      };
    },
  );
  if (head === undefined || refusal !== undefined) return refusal ?? "gave no answer";
  if (head.status !== 200) return statusText(head);
  return (
    readStatus(Buffer.concat(pieces).toString()) ?? "answered with something else than what a bridge tells"
  );
}

function readStatus(text: string): BridgeStatus | undefined {
  try {
    return harmless(bridgeStatus.parse(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

/** Clients and servers choose their names. */
function harmless({ mcp, bridge, ...rest }: BridgeStatus): BridgeStatus {
  return {
    ...rest,
    ...(mcp ? { mcp: factsOf(mcp) } : {}),
    bridge: {
      ...bridge,
      sessions: bridge.sessions.map(({ id, client, ...session }) => ({
        id: told(id, 40),
        ...(client === undefined ? {} : { client: told(client, 100) }),
        ...session,
      })),
    },
  };
}

function factsOf({ serverName, serverVersion, protocolVersion, tools, ...rest }: McpFacts): McpFacts {
  return {
    ...rest,
    ...(protocolVersion === undefined ? {} : { protocolVersion: told(protocolVersion, 50) }),
    ...(serverName === undefined ? {} : { serverName: told(serverName, 100) }),
    ...(serverVersion === undefined ? {} : { serverVersion: told(serverVersion, 50) }),
    ...(tools === undefined ? {} : { tools: tools.map((tool) => told(tool, 128)) }),
  };
}
