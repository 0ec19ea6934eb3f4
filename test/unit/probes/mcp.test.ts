import { describe, expect, it } from "vitest";
import { type McpTarget, mcpProbe } from "../../../src/probes/mcp.ts";
import {
  events,
  failure,
  flood,
  type Handler,
  hang,
  legacy,
  mcpServer,
  modern,
  opening,
  rawServer,
  result,
  SESSION,
  status,
} from "./rig.ts";

function probe(port: number, over: Partial<McpTarget> = {}) {
  return mcpProbe({
    address: "127.0.0.1",
    port,
    host: `localhost:${port}`,
    path: "/mcp",
    timeoutMs: 5_000,
    clientVersion: "9.9.9",
    ...over,
  });
}

const answer = (id: unknown, value: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result: value });
const tools = { tools: [{ name: "one" }, { name: "two" }] };
const LEGACY = ["POST initialize", "POST notifications/initialized", "POST tools/list", "DELETE"];

describe("a server of the legacy era", () => {
  it("is asked as a client would ask, and its session is ended", async () => {
    const server = await legacy();
    const report = await probe(server.port);
    expect(report).toMatchObject({
      ok: true,
      evidence: "legacy 2025-06-18, old 1.0, 2 tools",
      mcp: {
        era: "legacy",
        protocolVersion: "2025-06-18",
        serverName: "old",
        serverVersion: "1.0",
        tools: ["one", "two"],
        authorization: "none",
      },
      steps: [
        { step: "server/discover", ok: true, detail: "not of the modern era (400 Bad Request)" },
        { step: "initialize", ok: true, detail: "2025-06-18" },
        { step: "notifications/initialized", ok: true, detail: "202 Accepted" },
        { step: "tools/list", ok: true, detail: "2 tools" },
        { step: "DELETE", ok: true, detail: "204 No Content" },
      ],
    });
    expect(server.log).toEqual(["POST server/discover", ...LEGACY]);
    const [, initialize, ...later] = server.heard;
    expect(initialize).toMatchObject({
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "xy", version: "9.9.9" },
      },
      headers: {
        host: `localhost:${server.port}`,
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
      },
    });
    expect(initialize?.headers).not.toHaveProperty("mcp-protocol-version");
    for (const { headers } of later)
      expect(headers).toMatchObject({ "mcp-session-id": SESSION, "mcp-protocol-version": "2025-06-18" });
  });

  it("is not asked the modern way when it is known", async () => {
    const server = await legacy();
    expect(await probe(server.port, { era: "legacy" })).toMatchObject({ ok: true });
    expect(server.log).toEqual(LEGACY);
  });

  it("needs no session", async () => {
    const server = await legacy({ initialize: result(opening) });
    expect(await probe(server.port)).toMatchObject({ ok: true });
    expect(server.log).toEqual(["POST server/discover", "POST initialize", "POST tools/list"]);
  });

  it("has all of the time for each request when it keeps nothing between two", async () => {
    const slow =
      (handler: Handler): Handler =>
      (heard, response) =>
        void setTimeout(() => handler(heard, response), 550);
    const each = {
      "server/discover": slow(status(404)),
      "tools/list": slow(result(tools)),
    };
    const alone = await legacy({ ...each, initialize: slow(result(opening)) });
    expect(await probe(alone.port, { timeoutMs: 1000 })).toMatchObject({ ok: true });
    const keeping = await legacy({
      ...each,
      initialize: slow(result(opening, { "Mcp-Session-Id": SESSION })),
    });
    expect(await probe(keeping.port, { timeoutMs: 1000 })).toMatchObject({
      ok: false,
      evidence: "tools/list at /mcp: gave no answer within 1000 ms",
    });
  });

  it("is told that the opening is over when it insists, also without a session", async () => {
    const server: { isTold?: boolean } = {};
    const insisting = await legacy({
      initialize: result(opening),
      "notifications/initialized": (heard, response) => {
        server.isTold = true;
        status(202)(heard, response);
      },
      "tools/list": (heard, response) =>
        (server.isTold ? result(tools) : failure({ code: -32602, message: "too early" }))(heard, response),
    });
    expect(await probe(insisting.port)).toMatchObject({ ok: true, mcp: { tools: ["one", "two"] } });
  });

  it("is pinged when it has no tools", async () => {
    const server = await legacy({
      initialize: result({ ...opening, capabilities: {} }),
      ping: result({}),
      "tools/list": failure({ code: -32601, message: "Method not found" }),
    });
    const report = await probe(server.port);
    expect(report).toMatchObject({ ok: true, evidence: "legacy 2025-06-18, old 1.0, no tools" });
    expect(report.mcp).not.toHaveProperty("tools");
    expect(server.log).toContain("POST ping");
  });

  it("is asked again with a version that it names", async () => {
    const server = await legacy({
      initialize: (heard, response) =>
        heard.params.protocolVersion === "2025-03-26"
          ? result(opening)(heard, response)
          : failure({ code: -32602, message: "Unsupported", data: { supported: ["2025-03-26"] } }, 400)(
              heard,
              response,
            ),
    });
    expect(await probe(server.port)).toMatchObject({ ok: true });
    expect(server.log.filter((one) => one === "POST initialize")).toHaveLength(2);
  });

  it.each<[string, (id: unknown, value: unknown) => string]>([
    ["an event without data first", (id, value) => `id: 1\ndata: \n\ndata: ${answer(id, value)}\n\n`],
    ["CRLF", (id, value) => `event: message\r\ndata: ${answer(id, value)}\r\n\r\n`],
    [
      "data of several lines",
      (id, value) =>
        `data: {"jsonrpc":"2.0",\ndata: "id":${id},"result":\ndata: ${JSON.stringify(value)}}\n\n`,
    ],
    [
      "notifications, others' answers and requests before it",
      (id, value) =>
        `data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: ${answer(1, {})}\n\n` +
        `data: {"jsonrpc":"2.0","id":${id},"method":"ping"}\n\ndata: ${answer(id, value)}\n\n`,
    ],
  ])("may answer with events, with %s, and keep them open", async (_, write) => {
    const server = await legacy({
      initialize: events((id) => write(id, opening), { "Mcp-Session-Id": SESSION }),
      "tools/list": events((id) => write(id, tools)),
    });
    expect(await probe(server.port)).toMatchObject({ ok: true, mcp: { tools: ["one", "two"] } });
    expect(server.log).toContain("DELETE");
  });

  it("lists its tools page by page, as far as a probe goes", async () => {
    const page: Handler = (heard, response) => {
      const at = Number(heard.params?.cursor ?? 0);
      result({ tools: [{ name: `t${at}` }], nextCursor: at === 2 ? undefined : `${at + 1}` })(
        heard,
        response,
      );
    };
    const short = await legacy({ "tools/list": page });
    expect(await probe(short.port)).toMatchObject({ mcp: { tools: ["t0", "t1", "t2"] } });
    let asked = 0;
    const endless = await legacy({
      "tools/list": (heard, response) =>
        result({ tools: [{ name: "t" }], nextCursor: `${++asked}` })(heard, response),
    });
    expect((await probe(endless.port)).evidence).toBe("legacy 2025-06-18, old 1.0, at least 20 tools");
    expect(asked).toBe(20);
    const many = await legacy({ "tools/list": result({ tools: Array(5000).fill({ name: "t" }) }) });
    expect((await probe(many.port)).evidence).toBe("legacy 2025-06-18, old 1.0, at least 1000 tools");
  });

  it.each<[string, Handler, boolean, string]>([
    ["200", status(200), true, "200 OK"],
    ["405", status(405), true, "405 Method Not Allowed, it ends its sessions itself"],
    ["404", status(404), false, "404 Not Found"],
    ["hang", hang, false, "gave no answer within 500 ms"],
    [
      "break",
      (_, response) => void response.destroy(),
      false,
      expect.stringContaining("closed the connection"),
    ],
  ])("is healthy whatever comes of its session's end: %s", async (_, end, ok, detail) => {
    const server = await legacy({ DELETE: end });
    const report = await probe(server.port);
    expect(report).toMatchObject({ ok: true });
    expect(report.steps.at(-1)).toMatchObject({ step: "DELETE", ok, detail });
  });
});

describe("a session is ended", () => {
  it.each<[string, Record<string, Handler>]>([
    ["after a refused notification", { "notifications/initialized": status(400) }],
    ["after a failure", { "tools/list": status(500) }],
    ["after a wrong id", { "tools/list": (_, response) => result(tools)({ ..._, id: 1 }, response) }],
    ["when the time is over", { "tools/list": hang }],
    ["when the opening is not MCP", { initialize: result({}, { "Mcp-Session-Id": SESSION }) }],
    [
      "when the opening never ends",
      { initialize: events(() => ": wait\n\n", { "Mcp-Session-Id": SESSION }) },
    ],
    [
      "when its server takes us for a client of its era",
      {
        "server/discover": result({ supportedVersions: ["2031-01-01"] }, { "Mcp-Session-Id": SESSION }),
        initialize: status(400),
      },
    ],
  ])("%s", async (_, handlers) => {
    const server = await legacy(handlers);
    expect(await probe(server.port, { timeoutMs: 300 })).toMatchObject({ ok: false });
    expect(server.heard.filter(({ verb }) => verb === "DELETE")).toMatchObject([
      { headers: { "mcp-session-id": SESSION } },
    ]);
  });

  it("when its opening is answered too late", async () => {
    const server = await legacy({
      initialize: (heard, response) =>
        void setTimeout(() => result(opening, { "Mcp-Session-Id": SESSION })(heard, response), 300),
    });
    expect(await probe(server.port, { timeoutMs: 200, era: "legacy" })).toMatchObject({
      ok: false,
      evidence: "initialize at /mcp: gave no answer within 200 ms",
    });
    expect(server.log).toEqual(["POST initialize", "DELETE"]);
  });
});

describe("a server of the modern era", () => {
  it("is asked with the headers and the metadata that it requires", async () => {
    const server = await modern();
    expect(await probe(server.port)).toMatchObject({
      ok: true,
      evidence: "modern 2026-07-28, new 2.0, 1 tool",
      mcp: { era: "modern", serverName: "new", serverVersion: "2.0", tools: ["one"], authorization: "none" },
      steps: [
        { step: "server/discover", ok: true, detail: "2026-07-28" },
        { step: "tools/list", ok: true },
      ],
    });
    expect(server.log).toEqual(["POST server/discover", "POST tools/list"]);
    for (const { method, headers, params } of server.heard) {
      expect(headers).toMatchObject({
        "mcp-method": method,
        "mcp-protocol-version": "2026-07-28",
        accept: "application/json, text/event-stream",
      });
      expect(params).toEqual({
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
          "io.modelcontextprotocol/clientInfo": { name: "xy", version: "9.9.9" },
        },
      });
    }
  });

  it("is told by a refusal that names our version", async () => {
    const refusal = { code: -32022, message: "no", data: { supported: ["2026-07-28"] } };
    const server = await modern({ "server/discover": failure(refusal, 400) });
    expect(await probe(server.port)).toMatchObject({ ok: true, evidence: "modern 2026-07-28, 1 tool" });
  });

  it("is asked the legacy way when it has no version in common", async () => {
    const refusal = { code: -32022, message: "no", data: { supported: ["2031-01-01"] } };
    const server = await modern({
      "server/discover": failure(refusal, 400),
      initialize: failure(refusal, 400),
    });
    expect((await probe(server.port)).evidence).toBe(
      "initialize at /mcp: 400 Bad Request: error -32022: no (it speaks 2031-01-01)",
    );
  });

  it("is never asked the legacy way when it is known", async () => {
    const server = await legacy();
    expect(await probe(server.port, { era: "modern" })).toMatchObject({
      ok: false,
      evidence: "server/discover at /mcp: 400 Bad Request",
    });
    expect(server.log).toEqual(["POST server/discover"]);
  });

  it("may have no tools", async () => {
    const server = await modern({ "server/discover": result({ capabilities: {} }) });
    expect(await probe(server.port)).toMatchObject({ ok: true, evidence: "modern 2026-07-28, no tools" });
  });

  it("is not healthy when only its list of tools fails, as behind a bridge", async () => {
    const server = await modern({
      "tools/list": failure({ code: -32603, message: "Connection\u001b[2J\nclosed" }),
    });
    expect(await probe(server.port)).toMatchObject({
      ok: false,
      evidence: "tools/list at /mcp: error -32603: Connection\\u{1b}[2J\\nclosed",
      mcp: { era: "modern", serverName: "new" },
    });
  });
});

describe("a server that cannot be judged by its list of tools", () => {
  it("is up when it wants authorization, at once or later", async () => {
    const guarded = await mcpServer({ "server/discover": status(401, "", { "WWW-Authenticate": "Bearer" }) });
    expect(await probe(guarded.port)).toEqual({
      ok: true,
      evidence: "up, and wants authorization (server/discover at /mcp: 401 Unauthorized)",
      steps: [{ step: "server/discover", ok: true, detail: "401 Unauthorized", ms: expect.any(Number) }],
      mcp: { authorization: "required" },
    });
    const later = await legacy({ "tools/list": status(401) });
    expect(await probe(later.port)).toMatchObject({
      ok: true,
      mcp: { era: "legacy", authorization: "required" },
      steps: { length: 5 },
    });
  });

  it.each<[string, Handler, string]>([
    [
      "forbids",
      status(403),
      "403 Forbidden, it forbids this request: perhaps its Host header, localhost:PORT",
    ],
    [
      "fails",
      failure({ code: -32603, message: "db" }, 500),
      "500 Internal Server Error, it is up and fails: error -32603: db",
    ],
    ["redirects", status(307, "", { Location: "/mcp/" }), "307 Temporary Redirect, a redirect to /mcp/"],
    ["breaks off", (_, response) => void response.destroy(), "closed the connection without an answer"],
    ["hangs", hang, "gave no answer within 300 ms"],
    ["sends events without end", events(() => "data: {}\n\n"), "did not end its answer within 300 ms"],
    [
      "trickles",
      (_, response) => {
        response.writeHead(200, { "Content-Type": "application/json" });
        const timer = setInterval(() => response.write(" "), 5);
        response.once("close", () => clearInterval(timer));
      },
      "did not end its answer within 300 ms",
    ],
  ])("that %s is not asked again", async (_, handler, evidence) => {
    const server = await legacy({ "server/discover": handler });
    expect(await probe(server.port, { timeoutMs: 300 })).toMatchObject({
      ok: false,
      evidence: `server/discover at /mcp: ${evidence.replace("PORT", String(server.port))}`,
      steps: { length: 1 },
    });
    expect(server.log).toEqual(["POST server/discover"]);
  });

  it.each<[string, Handler, string]>([
    [
      "HTML",
      status(200, "<html>", { "Content-Type": "text/html; charset=utf-8" }),
      "200 OK with text/html: this path is not MCP's",
    ],
    ["nothing", status(202), "202 Accepted without an answer"],
    ["an empty body", status(200, "", { "Content-Type": "application/json" }), "200 OK with an empty body"],
    [
      "no JSON",
      status(200, "<html>", { "Content-Type": "application/json" }),
      "200 OK with a body that is not JSON",
    ],
    [
      "no JSON-RPC",
      status(200, "{}", { "Content-Type": "application/json" }),
      "200 OK without an answer: what it sent is not a JSON-RPC response",
    ],
    [
      "events without an answer",
      status(200, "data: \n\n", { "Content-Type": "text/event-stream" }),
      "200 OK with a stream that ended before the answer",
    ],
    [
      "a wrong id",
      (heard, response) => result(opening)({ ...heard, id: 1 }, response),
      "200 OK with the answer to another request: its id does not match",
    ],
    ["an error", failure({ code: -32000, message: "x".repeat(1000) }), `error -32000: ${"x".repeat(199)}…`],
    ["404", status(404), "404 Not Found"],
    [
      "a result without a version",
      result({ ok: true }),
      "answered without a protocol version: this is not MCP",
    ],
    [
      "a version that is none",
      result({ ...opening, protocolVersion: "a\nb" }),
      "answered without a protocol version: this is not MCP",
    ],
  ])("that answers with %s is not healthy", async (_, handler, evidence) => {
    const server = await legacy({ initialize: handler });
    expect(await probe(server.port)).toMatchObject({
      ok: false,
      evidence: `initialize at /mcp: ${evidence}`,
    });
  });

  it.each([
    [400, "Invalid Request: Server already initialized"],
    [404, "Session not found"],
  ])("that has one session for all its life is told of (%i %s)", async (code, message) => {
    const server = await legacy({ initialize: failure({ code: -32600, message }, code) });
    expect((await probe(server.port)).evidence).toMatch(/; it accepts only one session: .*"tcp"$/);
  });

  it.each(["application/json", "text/event-stream"])(
    "that floods us with %s costs no memory",
    async (type) => {
      let tell = (_bytes: number) => {};
      const sent = new Promise<number>((resolve) => {
        tell = resolve;
      });
      const server = await legacy({
        initialize: (_, response) => {
          response.socket?.once("close", () => tell(response.socket?.bytesWritten ?? 0));
          response.writeHead(200, { "Content-Type": type });
          flood(response, `data: ${"x".repeat(10_000)}\n\n`);
        },
      });
      expect((await probe(server.port)).evidence).toBe("initialize at /mcp: sent more than 4 MiB");
      expect(await sent).toBeLessThan(32 << 20);
    },
  );

  it("that says what could move the cursor is quoted visibly, and not at length", async () => {
    const nasty = `\u001b]0;x\u0007\u202e${"n".repeat(500)}\n`;
    const server = await legacy({
      initialize: result({ ...opening, serverInfo: { name: nasty, version: nasty } }),
      "tools/list": result({ tools: [{ name: nasty }, { name: 5 }, null] }),
    });
    const { mcp, evidence } = await probe(server.port);
    expect(`${Object.values(mcp ?? {}).join()} ${evidence}`).not.toMatch(/\p{Cc}|\u202e|n{200}/u);
    expect(mcp?.tools).toHaveLength(1);
  });

  it("that is no HTTP server is named", async () => {
    const port = await rawServer((socket) => void socket.write("+PONG\r\n"));
    expect((await probe(port)).evidence).toBe(
      'server/discover at /mcp: does not speak HTTP: it says "+PONG"',
    );
  });
});
