import { describe, expect, it } from "vitest";
import { readMessage } from "../../../src/bridge/message.ts";
import { Mirrored } from "../../../src/connect/mirrored.ts";
import { headersOf, inHeader, isRepeatable, isUnknownSession } from "../../../src/connect/rules.ts";

const message = (value: object) => {
  const read = readMessage(JSON.stringify({ jsonrpc: "2.0", ...value }));
  if (read.kind === "none") throw new Error(read.why);
  return read;
};
const agreed = { session: "s", version: "2025-06-18" };
const modern = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };

describe("the headers of a message", () => {
  it.each([
    ["a call of a session", { id: 1, method: "tools/list" }, ["s", "2025-06-18"]],
    ["a notification of a session", { method: "notifications/initialized" }, ["s", "2025-06-18"]],
    ["an answer to a question", { id: 1, result: {} }, ["s", "2025-06-18"]],
    ["an introduction, which has no session yet", { id: 1, method: "initialize" }, []],
  ] as const)("%s", (_, value, [session, version]) => {
    const headers = headersOf(message(value), agreed);
    expect(headers["Mcp-Session-Id"]).toBe(session);
    expect(headers["MCP-Protocol-Version"]).toBe(version);
    expect(headers).not.toHaveProperty("Mcp-Method");
  });

  it.each([
    ["tools/call", { name: "echo" }, "echo"],
    ["resources/read", { uri: "file:///a b" }, "file:///a b"],
    ["prompts/get", { name: "grüße" }, "=?base64?Z3LDvMOfZQ==?="],
    ["tools/list", { name: "echo" }, undefined],
    ["tools/call", { name: 7 }, undefined],
  ])("of a version without sessions: %s of %j", (method, params, name) => {
    const headers = headersOf(message({ id: 1, method, params: { ...params, ...modern } }), agreed);
    expect(headers).toEqual({
      ...{ "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method },
      ...(name === undefined ? {} : { "Mcp-Name": name }),
    });
  });

  it.each(["plain", "a b", "~!"])("carries %j as it is", (text) => expect(inHeader(text)).toBe(text));
  it.each(["", " a", "a ", "a\nb", "ü", "=?base64?YQ==?="])("encodes %j", (text) => {
    const encoded = /^=\?base64\?(.*)\?=$/.exec(inHeader(text))?.[1] ?? "-";
    expect(Buffer.from(encoded, "base64").toString()).toBe(text);
  });
});

describe("a lost session", () => {
  const error = (code: number, text: string) =>
    JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message: text } });

  it.each([
    [404, "", true],
    [404, "<html>", true],
    [404, error(-32001, "Session not found"), true],
    [404, error(-32601, "Method not found"), false],
    [400, error(-32000, "Bad Request: No valid session ID provided"), true],
    [400, error(-32602, "Invalid params"), false],
    [400, "session", false],
    [401, error(-32000, "no session"), false],
    [500, error(-32000, "no session"), false],
  ])("%i %s: %s", (status, body, lost) => expect(isUnknownSession(status, body)).toBe(lost));
});

it("only what asks is sent twice", () => {
  const asks = ["initialize", "ping", "tools/list", "resources/read", "prompts/get", "server/discover"];
  expect(asks.filter(isRepeatable)).toEqual(asks);
  const acts = [
    "tools/call",
    "sampling/createMessage",
    "tasks/cancel",
    "subscriptions/listen",
    "toString",
    "",
  ];
  expect(acts.filter(isRepeatable)).toEqual([]);
});

describe("arguments that are repeated in headers", () => {
  const mirrored = new Mirrored();
  const properties = {
    city: { type: "string", "x-mcp-header": "City" },
    days: { type: "integer", "x-mcp-header": "Days" },
    list: { type: "array", "x-mcp-header": "List" },
    odd: { type: "string", "x-mcp-header": "a b" },
    where: { type: "object", properties: { dry: { type: "boolean", "x-mcp-header": "Dry" } } },
  };
  mirrored.learn({ tools: [{ name: "weather", inputSchema: { properties } }, { name: 7 }, null] });
  const call = (name: string, given: object, more: object = modern) =>
    mirrored.headersOf(message({ id: 1, method: "tools/call", params: { name, arguments: given, ...more } }));

  it("are those that the tool's schema names", () => {
    expect(call("weather", { city: "Köln", days: 3, list: [1], odd: "x", where: { dry: false } })).toEqual({
      ...{ "Mcp-Param-City": "=?base64?S8O2bG4=?=", "Mcp-Param-Days": "3", "Mcp-Param-Dry": "false" },
    });
    expect(call("weather", { city: null, days: 1.5 })).toEqual({});
  });

  it("are none of another tool, and none in a version with sessions", () => {
    expect(call("other", { city: "Bonn" })).toEqual({});
    expect(call("weather", { city: "Bonn" }, {})).toEqual({});
  });

  it("are forgotten when a later list has them no more", () => {
    mirrored.learn("nothing");
    mirrored.learn({
      tools: [{ name: "weather", inputSchema: { properties: { city: { type: "string" } } } }],
    });
    expect(call("weather", { city: "Bonn" })).toEqual({});
  });
});
