import { expect, it } from "vitest";
import type { BridgeStatus } from "../../../src/model/bridge-status.ts";
import { bridgeProbe } from "../../../src/probes/bridge.ts";
import { expectHarmless, HOSTILE } from "../../rig/hostile.ts";
import { httpServer } from "./rig.ts";

const told: BridgeStatus = {
  works: true,
  mcp: {
    era: "legacy",
    protocolVersion: "2025-11-25",
    serverName: "odd",
    tools: ["a", "b"],
    authorization: "none",
  },
  bridge: {
    ...{ share: "all", start: "on-demand", sleeping: true, session_count: 1, child_count: 0, children: [] },
    sessions: [
      { id: "3f2a91bc", client: "editor", opened_at_unix_ms: 1, used_at_unix_ms: 2, streams: 0, calls: 0 },
    ],
  },
};

async function probed(answer: unknown, what: "readiness" | "liveness" = "readiness", status = 200) {
  const heard: string[] = [];
  const port = await httpServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  const headers = { Authorization: "Bearer t" };
  const place = { address: "127.0.0.1", port, host: `localhost:${port}`, headers, timeoutMs: 5000 };
  const report = await bridgeProbe(place, what, 1000);
  expect(heard).toEqual(["GET /.well-known/xy-bridge Bearer t"]);
  return report;
}

it("takes a bridge's word for a server that sleeps", async () => {
  expect(await probed(told)).toMatchObject({
    ok: true,
    evidence: "legacy 2025-11-25, odd, 2 tools",
    mcp: { serverName: "odd" },
    bridge: { sleeping: true, sessions: [{ client: "editor" }] },
  });
});

it("says why a server does not work, and that its bridge is alive all the same", async () => {
  const broken = {
    ...told,
    works: false,
    reason: "it exited with 3: no such database",
    next_start_at_unix_ms: 9000,
  };
  const why = "the server behind the bridge does not work: it exited with 3: no such database";
  expect(await probed(broken)).toMatchObject({
    ok: false,
    evidence: `${why}; it is started again in 8 seconds`,
  });
  expect(await probed(broken, "liveness")).toMatchObject({ ok: true, bridge: { sleeping: true } });
});

it("believes nothing else that listens there", async () => {
  expect(await probed("", "readiness", 404)).toMatchObject({
    ok: false,
    evidence: "GET /.well-known/xy-bridge: 404 Not Found",
  });
  for (const answer of ["hello", {}, { ...told, bridge: { ...told.bridge, sessions: "many" } }])
    expect(await probed(answer)).toMatchObject({
      ok: false,
      evidence: expect.stringContaining("something else"),
    });
});

it("shows names that others chose without what they do to terminals", async () => {
  const [session] = told.bridge.sessions;
  const report = await probed({
    ...{ works: true, mcp: { ...told.mcp, serverName: HOSTILE, tools: [HOSTILE] } },
    bridge: { ...told.bridge, sessions: [{ ...session, id: HOSTILE, client: HOSTILE }] },
  });
  expect(report.ok).toBe(true);
  for (const text of [
    report.evidence,
    ...(report.mcp?.tools ?? []),
    report.bridge?.sessions[0]?.client ?? "",
  ])
    expectHarmless(text);
});
