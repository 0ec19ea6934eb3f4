import { once } from "node:events";
import { createServer } from "node:http";
import { onTestFinished } from "vitest";

/** A client that says no more than a test needs. */

/** This process takes the port, and answers 200 to everything, until the test is over. */
export async function occupy(port: number, address = "127.0.0.1"): Promise<void> {
  const server = createServer((_, response) => response.end("fine")).listen(port, address);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** Opens a session as a client of the legacy era does, and gives its id. */
export async function initialize(port: number): Promise<string> {
  const clientInfo = { name: "test", version: "1" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
  const response = await post(port, { jsonrpc: "2.0", id: 1, method: "initialize", params });
  const session = response.headers.get("mcp-session-id") ?? "";
  await response.text();
  await post(port, { jsonrpc: "2.0", method: "notifications/initialized" }, session).then((sent) =>
    sent.text(),
  );
  return session;
}

export async function listTools(port: number, session: string): Promise<string[]> {
  const response = await post(port, { jsonrpc: "2.0", id: 2, method: "tools/list" }, session);
  const data = /^data: (\{.*)$/m.exec(await response.text())?.[1] ?? "{}";
  return JSON.parse(data).result.tools.map((tool: { name: string }) => tool.name);
}

function post(port: number, body: object, session?: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/mcp`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      ...(session === undefined ? {} : { "Mcp-Session-Id": session }),
    },
    body: JSON.stringify(body),
  });
}
