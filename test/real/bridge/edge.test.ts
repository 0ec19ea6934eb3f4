import { describe, expect, it } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { ask, messagesIn, PlainClient } from "../../rig/bridge-client.ts";
import { ours } from "../../rig/mcp/servers.ts";

const ODD = ours("odd");
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const initialize = (protocolVersion = "2025-11-25") => ({
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion, capabilities: {}, clientInfo: { name: "t", version: "1" } },
});

/** What is refused before any child is asked, and with what. */
const REFUSED: [what: string, asked: Parameters<typeof ask>[1], status: number, says: RegExp][] = [
  [
    "a page of a stranger",
    { headers: { Origin: "http://evil.example" }, body: initialize() },
    403,
    /origin http:\/\/evil/,
  ],
  ["a page of no origin", { headers: { Origin: "null" }, body: initialize() }, 403, /origin null/],
  [
    "a page of another port",
    { headers: { Origin: "http://localhost:1" }, body: initialize() },
    403,
    /origin/,
  ],
  [
    "a name that was made to point here",
    { headers: { Host: "evil.example" }, body: initialize() },
    403,
    /host evil.example/,
  ],
  [
    "a name that only begins like ours",
    { headers: { Host: "localhost.evil.example" }, body: initialize() },
    403,
    /host/,
  ],
  [
    "a name that only ends like ours",
    { headers: { Host: "evil-127.0.0.1" }, body: initialize() },
    403,
    /host/,
  ],
  ["a question of a browser", { method: "OPTIONS", headers: { Origin: "http://evil.example" } }, 403, /./],
  ["another path", { path: "/", body: initialize() }, 404, /the server is at \/mcp/],
  [
    "what an authorization is looked for at",
    { method: "GET", path: "/.well-known/oauth-protected-resource" },
    404,
    /./,
  ],
  ["another method", { method: "PUT", body: PING }, 405, /cannot take PUT/],
  ["another type", { headers: { "Content-Type": "text/plain" }, body: PING }, 415, /application\/json/],
  ["no JSON", { body: "{" }, 400, /-32700/],
  ["a batch", { body: [PING] }, 400, /one message at a time/],
  ["no message", { body: { id: 1 } }, 400, /jsonrpc/],
  ["params that are none", { body: { ...PING, params: [] } }, 400, /"id":1.*params|params.*"id":1/],
  ["an id that is none", { body: { ...PING, id: null } }, 400, /its id/],
  ["no session", { body: PING }, 400, /Mcp-Session-Id/],
  ["a session that nobody has", { headers: { "Mcp-Session-Id": "x" }, body: PING }, 404, /initialize again/],
  ["a stream without a session", { method: "GET" }, 405, /Mcp-Session-Id/],
  ["a stream of nobody", { method: "GET", headers: { "Mcp-Session-Id": "x" } }, 404, /initialize again/],
  ["an end of nobody", { method: "DELETE", headers: { "Mcp-Session-Id": "x" } }, 404, /initialize again/],
  [
    "a version that nobody knows",
    { headers: { "MCP-Protocol-Version": "1999-01-01" }, body: PING },
    400,
    /-32022/,
  ],
];

describe("a bridge", () => {
  it("refuses whoever may not ask, and what it cannot pass on, before it starts anything", async () => {
    const { port, bridge } = await startBridge([ODD]);
    for (const [what, asked, status, says] of REFUSED) {
      const reply = await ask(port, asked);
      expect.soft([what, reply.status, reply.text]).toEqual([what, status, expect.stringMatching(says)]);
      expect.soft(() => JSON.parse(reply.text), what).not.toThrow();
    }
    expect(bridge.children).toEqual([]);
  });

  it("answers under each name of this machine, at whatever port, and to its own pages", async () => {
    const { port } = await startBridge(
      [ODD],
      {},
      { allowHosts: ["dev.example"], allowOrigins: ["https://app.example"] },
    );
    const hosts = [`127.0.0.1:${port}`, "localhost:1", "LOCALHOST", "[::1]:9", "127.1.2.3", "dev.example:80"];
    for (const Host of hosts) {
      const { status } = await ask(port, { headers: { Host, "Mcp-Session-Id": "x" }, body: PING });
      expect([Host, status]).toEqual([Host, 404]);
    }
    for (const Origin of [`http://127.0.0.1:${port}`, "https://app.example"]) {
      const { status } = await ask(port, { headers: { Origin, "Mcp-Session-Id": "x" }, body: PING });
      expect([Origin, status]).toEqual([Origin, 404]);
    }
  });

  it("asks for its token", async () => {
    const { port } = await startBridge([ODD], {}, { token: "s3cr3t-bridge" });
    for (const Authorization of [
      undefined,
      "Bearer s3cr3t-bridgf",
      "Bearer",
      "Basic s3cr3t-bridge",
      "Bearer s3cr3t-bridge2",
    ]) {
      const headers = { "Mcp-Session-Id": "x", ...(Authorization === undefined ? {} : { Authorization }) };
      const { status, headers: got } = await ask(port, { headers, body: PING });
      expect([Authorization, status, got["www-authenticate"]]).toEqual([Authorization, 401, "Bearer"]);
    }
    const headers = { Authorization: "Bearer s3cr3t-bridge", "Mcp-Session-Id": "x" };
    expect((await ask(port, { headers, body: PING })).status).toBe(404);
  });

  it("takes no more of a message than it may have", async () => {
    const { port } = await startBridge([ODD]);
    const reply = await ask(port, { body: `"${"x".repeat(17 * 2 ** 20)}"` });
    expect([reply.status, reply.headers.connection]).toEqual([413, "close"]);
    const client = await PlainClient.open(port);
    expect(await client.do("echo", { said: "y".repeat(1e6) })).toHaveLength(1e6);
  });

  it("speaks each version of the era that has sessions", async () => {
    const { port } = await startBridge([ODD]);
    for (const version of ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]) {
      const { text } = await ask(port, { body: initialize(version) });
      expect(messagesIn(text)[0]?.result.protocolVersion).toBe(version);
    }
  });

  it("has room for so many clients, and the one that was away longest goes first", async () => {
    const { port } = await startBridge([ODD], { maxSessions: 2, maxChildren: 1 });
    const [first, second] = [await PlainClient.open(port), await PlainClient.open(port)];
    // The first one's child has made room, and comes back in its place.
    expect(await first.do("echo", { said: "1" })).toBe("1");
    expect(await second.do("echo", { said: "2" })).toBe("2");
    await PlainClient.open(port);
    expect((await first.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(404);
    expect(await second.do("echo", { said: "2" })).toBe("2");
  });
});
