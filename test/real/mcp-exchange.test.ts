import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { McpFacts } from "../../src/model/probe-report.ts";
import { httpProbe } from "../../src/probes/http.ts";
import { ListenerProbe } from "../../src/probes/listener.ts";
import { mcpProbe } from "../../src/probes/mcp.ts";
import { eventually } from "../rig/eventually.ts";
import { ours, PACKAGES, type RealServer, startServer } from "../rig/mcp/servers.ts";
import { groupMembers } from "../rig/processes.ts";

const { everything, memory, mcpProxy, supergateway, context7 } = PACKAGES;

/** Far above what these servers need on a busy machine. */
function probe(port: number, over: { era?: McpFacts["era"]; timeoutMs?: number } = {}) {
  const place = { address: "127.0.0.1", port, host: `localhost:${port}`, path: "/mcp" };
  return mcpProbe({ ...place, timeoutMs: 30_000, clientVersion: "0.0.0", ...over });
}

function startEverything(...options: string[]): Promise<RealServer> {
  return startServer(
    () => [...options, everything, "streamableHttp"],
    (port) => ({ PORT: String(port) }),
  );
}

function startProxy(...command: string[]): Promise<RealServer> {
  return startServer((port) => [mcpProxy, "--host", "127.0.0.1", "--port", String(port), "--", ...command]);
}

function startSupergateway(stdio: string, ...options: string[]): Promise<RealServer> {
  return startServer((port) => [
    ...[supergateway, "--stdio", stdio, "--outputTransport", "streamableHttp", "--port", String(port)],
    ...options,
  ]);
}

const startOurs = (name: string, ...more: string[]) =>
  startServer((port) => [ours(name), String(port), ...more]);

const MEMORY_TOOLS = [
  "create_entities",
  "create_relations",
  "add_observations",
  "delete_entities",
  "delete_observations",
  "delete_relations",
  "read_graph",
  "search_nodes",
  "open_nodes",
];

describe("the MCP probe finds healthy", () => {
  it("server-everything, of the legacy era with sessions", async () => {
    const { port } = await startEverything();
    const report = await probe(port);
    expect(report).toMatchObject({
      ok: true,
      evidence: "legacy 2025-11-25, mcp-servers/everything 2.0.0, 13 tools",
      mcp: { tools: expect.arrayContaining(["echo", "get-sum"]), authorization: "none" },
    });
    expect(report.steps.at(-1)).toMatchObject({ step: "DELETE", ok: true });
  });

  it("mcp-proxy, of both eras", async () => {
    const { port } = await startProxy(process.execPath, memory);
    expect(await probe(port)).toMatchObject({
      ok: true,
      evidence: "modern 2026-07-28, memory-server 0.6.3, 9 tools",
      mcp: { tools: MEMORY_TOOLS },
    });
    expect(await probe(port, { era: "legacy" })).toMatchObject({
      ok: true,
      evidence: "legacy 2025-11-25, memory-server 0.6.3, 9 tools",
    });
  });

  it("supergateway, with a child for each request", async () => {
    const { port } = await startSupergateway(`"${process.execPath}" "${memory}"`);
    expect(await probe(port)).toMatchObject({
      ok: true,
      evidence: "legacy 2025-11-25, memory-server 0.6.3, 9 tools",
      mcp: { tools: MEMORY_TOOLS },
    });
  });

  it("context7, of both eras without sessions", async () => {
    const { port } = await startServer((n) => [context7, "--transport", "http", "--port", String(n)]);
    expect(await probe(port)).toMatchObject({
      ok: true,
      evidence: "modern 2026-07-28, Context7 4.1.1, 2 tools",
      mcp: { tools: ["resolve-library-id", "query-docs"] },
    });
    expect((await probe(port, { era: "legacy" })).evidence).toBe(
      "legacy 2025-11-25, Context7 4.1.1, 2 tools",
    );
  });

  it.each([
    ["modern-only", "modern 2026-07-28"],
    ["stateless", "legacy 2025-11-25"],
  ])("one that is %s, as often as it is asked", async (name, version) => {
    const { port } = await startOurs(name);
    for (const _ of [1, 2])
      expect(await probe(port)).toMatchObject({
        ok: true,
        evidence: `${version}, ${name} 1.2.3, 2 tools`,
        mcp: { tools: ["first", "second"] },
      });
  });

  it("one that wants authorization", async () => {
    const { port } = await startOurs("auth-required");
    expect(await probe(port)).toMatchObject({ ok: true, mcp: { authorization: "required" } });
  });
});

describe("the MCP probe finds failing", () => {
  it("mcp-proxy whose child was killed", async () => {
    const { port, process: proxy } = await startProxy(process.execPath, memory);
    expect(await probe(port)).toMatchObject({ ok: true });
    const [child] = groupMembers(proxy.pid as number).filter(({ pid }) => pid !== proxy.pid);
    process.kill(child?.pid as number, "SIGKILL");
    await eventually(() => expect(groupMembers(proxy.pid as number)).toHaveLength(1));
    for (const era of [undefined, "modern", "legacy"] as const) {
      const report = await probe(port, era && { era });
      expect(report, era).toMatchObject({
        ok: false,
        evidence: expect.stringMatching(/^tools\/list at \/mcp: /),
      });
    }
  });

  it("supergateway with a command that is not there, which says ok of itself", async () => {
    const { port } = await startSupergateway("/no/such/program", "--healthEndpoint", "/healthz");
    const health = { address: "127.0.0.1", port, host: "localhost", path: "/healthz", status: [] };
    expect(await httpProbe({ ...health, timeoutMs: 30_000 })).toMatchObject({ ok: true });
    expect(await probe(port)).toMatchObject({
      ok: false,
      evidence: "initialize at /mcp: error -32603: MCP server process failed",
    });
  });

  it("one that has one session for all its life, the second time", async () => {
    const { port } = await startOurs("single-session");
    expect(await probe(port)).toMatchObject({
      ok: true,
      evidence: "legacy 2025-11-25, single-session 1.2.3, 2 tools",
    });
    expect(await probe(port)).toMatchObject({
      ok: false,
      evidence: expect.stringMatching(/^initialize at \/mcp: 404 .* Session not found; .*"tcp"$/),
    });
  });

  it("one that has one session for all its life, while a client has it", async () => {
    const { port } = await startOurs("single-session");
    const client = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "a", version: "1" },
    };
    const opened = await fetch(`http://127.0.0.1:${port}/mcp`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: client }),
    });
    expect(opened.status).toBe(200);
    await opened.text();
    expect(await probe(port)).toMatchObject({
      ok: false,
      evidence: expect.stringMatching(/^initialize at \/mcp: 400 .* already initialized; .*"tcp"$/),
    });
  });

  it("one that hangs, from when it hangs", async () => {
    const { port, process: server } = await startOurs("hung", "works");
    expect(await probe(port)).toMatchObject({ ok: true, mcp: { era: "modern" } });
    server.kill("SIGUSR2");
    await eventually(async () =>
      expect(await probe(port, { timeoutMs: 200 })).toMatchObject({
        ok: false,
        evidence: "server/discover at /mcp: gave no answer within 200 ms",
      }),
    );
  });
});

describe("a server that is probed over and over", () => {
  it("keeps at most 3 KiB a probe", async () => {
    const { port, process: server } = await startEverything("--expose-gc", "--import", ours("heap"));
    const heap = async () => {
      server.send("how much?");
      const [{ heapUsed }] = await once(server, "message");
      return Number(heapUsed);
    };
    const lane = async (count: number) => {
      for (let n = 0; n < count; n++) expect(await probe(port)).toMatchObject({ ok: true });
    };
    const many = (count: number) => Promise.all([1, 2, 3, 4].map(() => lane(count / 4)));
    // What the server loads and compiles once is no leak: a leak is in each of the rounds.
    const keptBy = async (work: (count: number) => Promise<unknown>, count: number) => {
      await work(count);
      const heaps = [await heap()];
      for (let round = 0; round < 3; round++) {
        await work(count);
        heaps.push(await heap());
      }
      return Math.min(...heaps.slice(1).map((after, i) => (after - (heaps[i] ?? 0)) / count));
    };
    const kept = await keptBy(many, 120);
    console.log(`server-everything keeps ${Math.round(kept)} bytes a probe`);
    expect(kept).toBeLessThan(3 * 1024);

    // What liveness does unless it is told otherwise.
    const members = async () => [server.pid as number];
    const listener = new ListenerProbe({ members });
    const look = async () =>
      expect(await listener.look({ host: "127.0.0.1", port, timeout: 30_000 })).toMatchObject({ ok: true });
    const rest = await keptBy(async (count) => {
      for (let n = 0; n < count; n++) await look();
    }, 100);
    console.log(`server-everything keeps ${Math.round(rest)} bytes a look at its port`);
    expect(rest).toBeLessThan(256);
  });
});
