import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { type McpTarget, mcpProbe } from "../../../src/probes/mcp.ts";
import { flood, httpServer, opening } from "./rig.ts";

/** A server that speaks HTTP+SSE alone, as those of 2024-11-05 do. */
interface Behaviour {
  readonly path?: string;
  /** What the stream begins with. */
  readonly greeting?: (port: number) => string;
  /** How a text goes onto the stream. */
  readonly write?: (stream: ServerResponse, text: string) => void;
  /** The event of one answer. */
  readonly event?: (answer: string) => string;
  /** Answers a message; true: nothing else does. */
  readonly post?: (response: ServerResponse, stream: ServerResponse, id: unknown) => boolean;
  /** In place of the stream. */
  readonly get?: (response: ServerResponse) => void;
}

const RESULTS: Record<string, object> = {
  initialize: opening,
  "tools/list": { tools: [{ name: "one" }, { name: "two" }] },
};

async function sseServer(behaviour: Behaviour = {}) {
  const { path = "/sse", greeting, post = () => false, get } = behaviour;
  const { event = (answer) => `event: message\ndata: ${answer}\n\n` } = behaviour;
  const { write = (stream: ServerResponse, text: string) => void stream.write(text) } = behaviour;
  const log: string[] = [];
  let stream: ServerResponse | undefined;
  let port = 0;
  let tellClosed = () => {};
  const closed = new Promise<void>((resolve) => {
    tellClosed = resolve;
  });
  const open = (response: ServerResponse) => {
    if (get) return get(response);
    stream = response;
    response.once("close", tellClosed);
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    response.flushHeaders();
    write(response, greeting?.(port) ?? "event: endpoint\ndata: /message?sessionId=5e55\n\n");
  };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const { id, method } = (await json(request)) as { id?: number; method: string };
    log.push(`POST ${request.url} ${method}`);
    if (request.url !== "/message?sessionId=5e55" || !stream)
      return response.writeHead(404).end("no session");
    if (post(response, stream, id)) return;
    response.writeHead(202).end("Accepted");
    const result = RESULTS[method];
    if (result) write(stream, event(JSON.stringify({ jsonrpc: "2.0", id, result })));
  };
  port = await httpServer((request, response) => {
    if (request.method === "POST") return void take(request, response);
    log.push(`${request.method} ${request.url}`);
    if (request.url === path) open(response);
    else response.writeHead(404).end("Cannot GET");
  });
  return { port, log, closed };
}

function probe(port: number, over: Partial<McpTarget> = {}) {
  const place = { address: "127.0.0.1", port, host: `localhost:${port}`, path: "/sse" };
  return mcpProbe({ ...place, timeoutMs: 5_000, clientVersion: "9.9.9", ...over });
}

const GOOD = "legacy 2025-06-18 over HTTP+SSE, old 1.0, 2 tools";

describe("a server that speaks HTTP+SSE alone", () => {
  it("is asked in the newer ways first, as clients do, and its stream is ended", async () => {
    const server = await sseServer();
    const report = await probe(server.port);
    expect(report).toMatchObject({
      ok: true,
      evidence: GOOD,
      mcp: { era: "legacy", transport: "http+sse", tools: ["one", "two"], authorization: "none" },
    });
    expect(report.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ["server/discover", true],
      ["initialize", false],
      ["GET /sse", true],
      ["initialize", true],
      ["notifications/initialized", true],
      ["tools/list", true],
    ]);
    // What names a session is not shown.
    expect(JSON.stringify(report)).not.toContain("5e55");
    await server.closed;
  });

  it("is asked at once in its own way when it is known", async () => {
    const server = await sseServer();
    expect(await probe(server.port, { era: "legacy", ssePath: "/sse" })).toMatchObject({ ok: true });
    expect(server.log).toEqual([
      "GET /sse",
      "POST /message?sessionId=5e55 initialize",
      "POST /message?sessionId=5e55 notifications/initialized",
      "POST /message?sessionId=5e55 tools/list",
    ]);
  });

  it("may have its stream at the path of MCP, as the example of the official package", async () => {
    const server = await sseServer({ path: "/mcp" });
    expect(await probe(server.port, { path: "/mcp" })).toMatchObject({ ok: true, evidence: GOOD });
  });

  it("is found at /sse when nobody has said where it is, and that is told", async () => {
    const server = await sseServer();
    expect(await probe(server.port, { path: "/mcp" })).toMatchObject({
      ok: true,
      evidence: `${GOOD}; at /sse, not at /mcp: write \`mcp { path "/sse"; }\``,
      mcp: { transport: "http+sse", path: "/sse" },
    });
    // Who says where it is, is believed.
    expect(await probe(server.port, { path: "/other" })).toMatchObject({
      ok: false,
      evidence: "initialize at /other: 404 Not Found",
    });
  });

  it.each<[string, Behaviour]>([
    ["relative to the stream", { greeting: () => "event: endpoint\ndata: message?sessionId=5e55\n\n" }],
    [
      "as a whole address",
      { greeting: (port) => `event: endpoint\ndata: http://localhost:${port}/message?sessionId=5e55\n\n` },
    ],
    [
      "with CRLF, after a mark of bytes, comments and other events",
      {
        greeting: () =>
          "\ufeff: hello\r\n\r\nretry: 10\r\nid: 1\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n" +
          "event: endpoint\r\nid: 2\r\ndata: /message?sessionId=5e55\r\n\r\n",
        event: (answer) => `event: message\r\ndata: ${answer}\r\n\r\n`,
      },
    ],
    ["and answers without the name of an event", { event: (answer) => `data:${answer}\r\r` }],
    [
      "and says other things first",
      {
        event: (answer) =>
          'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: no JSON\n\n' +
          'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n' +
          `event: other\ndata: ${answer.replace(/"result".*/, '"error":{"code":1,"message":"no"}}')}\n\n` +
          `data: ${answer}\n\n`,
      },
    ],
    [
      "piece by piece",
      {
        write: (stream, text) => {
          const bytes = [...Buffer.from(text)];
          const next = () => {
            const byte = bytes.shift();
            if (byte !== undefined && stream.writable)
              stream.write(Buffer.of(byte), () => setImmediate(next));
          };
          next();
        },
      },
    ],
    [
      "and answers before it takes the message",
      {
        post: (response, stream, id) => {
          if (id === undefined) return false;
          const result = { ...opening, tools: [{ name: "one" }, { name: "two" }] };
          stream.write(`data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`);
          setImmediate(() => response.writeHead(202).end());
          return true;
        },
      },
    ],
  ])("may say where messages go %s", async (_, behaviour) => {
    const server = await sseServer(behaviour);
    expect(await probe(server.port)).toMatchObject({ ok: true, evidence: GOOD });
    await server.closed;
  });

  it.each<[string, string, string]>([
    ["another port", "http://localhost:1/message", "is not its own: http://localhost:1, not"],
    ["another host", "http://evil.example/message", "is not its own: http://evil.example, not"],
    ["another host in few letters", "//evil.example/message", "is not its own: http://evil.example, not"],
    ["another protocol", "https://localhost/message", "is not its own: https://localhost, not"],
    ["no web address", "file:///etc/passwd", "is not its own: file:///etc/passwd, not"],
    ["no address", "http://[", "that is not an address: http://["],
    ["a huge address", `/${"x".repeat(3000)}`, "of more than 2000 characters"],
  ])("is not followed to %s", async (_, endpoint, evidence) => {
    const server = await sseServer({ greeting: () => `event: endpoint\ndata: ${endpoint}\n\n` });
    const report = await probe(server.port);
    expect(report.ok).toBe(false);
    expect(report.evidence).toMatch(/^GET \/sse: gives an endpoint for messages /);
    expect(report.evidence).toContain(evidence);
    expect(server.log.filter((one) => one.includes("message"))).toEqual([]);
    await server.closed;
  });

  it.each<[string, Behaviour, string]>([
    [
      "says nothing on its stream",
      { greeting: () => ": hello\n\n" },
      "GET /sse: sent no endpoint event on its stream within 300 ms",
    ],
    [
      "takes messages and answers none",
      { event: () => "" },
      "initialize at /sse: gave no answer on its stream within 300 ms",
    ],
    [
      "answers where no client looks",
      {
        post: (response, _, id) => {
          response.writeHead(200, { "Content-Type": "application/json" });
          response.end(JSON.stringify({ jsonrpc: "2.0", id, result: opening }));
          return true;
        },
      },
      "initialize at /sse: gave no answer on its stream within 300 ms; it answered in the body of the POST, where no client looks",
    ],
    [
      "answers another request",
      { event: () => 'data: {"jsonrpc":"2.0","id":0,"result":{}}\n\n' },
      "initialize at /sse: gave no answer on its stream within 300 ms; it sent the answer to another request",
    ],
    [
      "ends its stream",
      {
        post: (response, stream) => {
          response.writeHead(202).end();
          stream.end();
          return true;
        },
      },
      "initialize at /sse: ended its stream before the answer",
    ],
    [
      "ends its stream at once",
      { get: (response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).end() },
      "GET /sse: ended its stream before an endpoint event",
    ],
    [
      "refuses a message",
      {
        post: (response) => {
          response.writeHead(403).end("not you");
          return true;
        },
      },
      'initialize at /sse: 403 Forbidden: "not you", it forbids this request: perhaps its Host header, localhost:PORT',
    ],
    [
      "sends a message elsewhere",
      {
        post: (response) => {
          response.writeHead(307, { Location: "http://evil.example/" }).end();
          return true;
        },
      },
      "initialize at /sse: 307 Temporary Redirect, a redirect to http://evil.example/",
    ],
    [
      "fails",
      { get: (response) => response.writeHead(500).end() },
      "initialize at /sse: 404 Not Found; GET /sse: 500 Internal Server Error, it is up and fails",
    ],
    ["does not stream", { get: (response) => response.end("{}") }, "initialize at /sse: 404 Not Found"],
  ])("that %s is not ready", async (_, behaviour, evidence) => {
    const server = await sseServer(behaviour);
    const report = await probe(server.port, { timeoutMs: 300 });
    expect(report).toMatchObject({ ok: false, evidence: evidence.replace("PORT", String(server.port)) });
    expect(report.steps.length).toBeLessThan(8);
    if (!behaviour.get) await server.closed;
  });

  it("that wants authorization for its stream is up", async () => {
    const server = await sseServer({ get: (response) => response.writeHead(401).end() });
    expect(await probe(server.port)).toMatchObject({
      ok: true,
      evidence: "up, and wants authorization (GET /sse: 401 Unauthorized)",
      mcp: { authorization: "required" },
    });
  });

  it("that floods us costs no memory", async () => {
    let tell = (_bytes: number) => {};
    const sent = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const { port } = await sseServer({
      get: (response) => {
        response.socket?.once("close", () => tell(response.socket?.bytesWritten ?? 0));
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        flood(response, `data: ${"x".repeat(10_000)}\n\n`);
      },
    });
    expect((await probe(port)).evidence).toBe("GET /sse: sent more than 4 MiB before an endpoint event");
    expect(await sent).toBeLessThan(32 << 20);
  });
});
