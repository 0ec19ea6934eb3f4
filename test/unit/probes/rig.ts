import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** Listens on loopback until the test is over; its connections end with it. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // The probe may leave at any moment.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A port where each connection is given to this function. */
export function rawServer(welcome: (socket: Socket) => void): Promise<number> {
  return listen(createServer(welcome));
}

export { listen };

export function httpServer(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  return listen(createHttpServer(handle));
}

/** Writes as fast as the reader takes it, without end. */
export function flood(response: NodeJS.WritableStream, piece: string | Buffer): void {
  const more = () => {
    while (response.writable && response.write(piece));
  };
  response.on("drain", more);
  more();
}

/** One request that came to an MCP server, as the tests look at it. */
interface Heard {
  readonly verb: string;
  /** The JSON-RPC method; empty for a DELETE. */
  readonly method: string;
  readonly id: unknown;
  readonly params: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
}

export type Handler = (heard: Heard, response: ServerResponse) => void;

export interface McpServerOfTest {
  readonly port: number;
  /** Every request, in order, as `POST initialize` or `DELETE`. */
  readonly log: string[];
  readonly heard: Heard[];
}

/** An MCP server that is made of one function for each JSON-RPC method, and `DELETE`; the others answer 400. */
export async function mcpServer(handlers: Record<string, Handler>): Promise<McpServerOfTest> {
  const log: string[] = [];
  const heard: Heard[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const verb = request.method ?? "";
    const body = verb === "POST" ? ((await json(request)) as Record<string, unknown>) : {};
    const method = String(body.method ?? "");
    const one = {
      verb,
      method,
      id: body.id,
      params: body.params as Heard["params"],
      headers: request.headers,
    };
    log.push(`${verb} ${method}`.trim());
    heard.push(one);
    const handle = handlers[verb === "POST" ? method : verb] ?? status(400);
    handle(one, response);
  };
  const port = await httpServer((request, response) => void serve(request, response));
  return { port, log, heard };
}

export function status(code: number, body = "", headers: Record<string, string> = {}): Handler {
  return (_, response) => response.writeHead(code, headers).end(body);
}

/** Answers with a result, as JSON. */
export function result(value: unknown, headers: Record<string, string> = {}): Handler {
  return ({ id }, response) => {
    response.writeHead(200, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: value }));
  };
}

/** Answers with an error, as JSON. */
export function failure(error: object, code = 200): Handler {
  return ({ id }, response) => {
    response.writeHead(code, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
  };
}

/** Answers with a stream of events, which `write` makes of the request's id; it stays open. */
export function events(write: (id: unknown) => string, headers: Record<string, string> = {}): Handler {
  return ({ id }, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream", ...headers });
    response.write(write(id));
  };
}

export const SESSION = "5e551017";
export const hang: Handler = () => {};

export const opening = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "old", version: "1.0" },
};

/** A good server of the legacy era, with a session. */
export function legacy(over: Record<string, Handler> = {}): Promise<McpServerOfTest> {
  return mcpServer({
    initialize: result(opening, { "Mcp-Session-Id": SESSION }),
    "notifications/initialized": status(202),
    "tools/list": result({ tools: [{ name: "one" }, { name: "two" }] }),
    DELETE: status(204),
    ...over,
  });
}

/** A good server of the modern era. */
export function modern(over: Record<string, Handler> = {}): Promise<McpServerOfTest> {
  return mcpServer({
    "server/discover": result({
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {} },
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "new", version: "2.0" } },
    }),
    "tools/list": result({ tools: [{ name: "one" }] }),
    ...over,
  });
}
