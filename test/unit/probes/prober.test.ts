import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { type LookingProbe, Prober } from "../../../src/probes/prober.ts";
import { serverSpec } from "../../rig/spec.ts";
import { legacy, listen, modern } from "./rig.ts";

const TIMING = { interval: 1000, timeout: 5000, startPeriod: 0, failureThreshold: 3, successThreshold: 1 };

/** Looks at a port of this very process, as at one run of a server: each call is one more look. */
function looker(probe: LookingProbe) {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const prober = new Prober({ members: async () => [process.pid], dir: tmpdir() }, closing.signal);
  const spec = serverSpec("a", process.execPath, []);
  return async () => expect(await prober.look(spec, probe, {})).toMatchObject({ ok: true });
}

/** An HTTP server that notes who comes, and what is asked. */
async function noting() {
  const heard: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.end();
  });
  server.on("connection", () => heard.push("connection"));
  const port = await listen(server);
  /** Connections are taken in the order in which they came: once this request is heard, all earlier ones are. */
  const all = async () => {
    await (await fetch(`http://127.0.0.1:${port}/last`)).text();
    return heard;
  };
  return { port, heard, all };
}

describe("one look", () => {
  it("at a port is one connection", async () => {
    const { port, all } = await noting();
    const look = looker({ type: "tcp", port, ...TIMING });
    for (const _ of [1, 2, 3]) await look();
    expect(await all()).toEqual(["connection", "connection", "connection", "connection", "GET /last"]);
  });

  it("at an answer over HTTP is one connection more, and one request", async () => {
    const { port, heard } = await noting();
    const look = looker({ type: "http", port, path: "/health", status: [], ...TIMING });
    const one = ["connection", "connection", "GET /health"];
    await look();
    expect(heard).toEqual(one);
    await look();
    expect(heard).toEqual([...one, ...one]);
  });

  it("at a modern MCP server is two requests", async () => {
    const { port, log } = await modern();
    const look = looker({ type: "mcp", port, path: "/mcp", ...TIMING });
    const one = ["POST server/discover", "POST tools/list"];
    await look();
    expect(log).toEqual(one);
    await look();
    expect(log).toEqual([...one, ...one]);
  });

  it("at a legacy MCP server is four requests, and one more the first time", async () => {
    const { port, log } = await legacy();
    const look = looker({ type: "mcp", port, path: "/mcp", ...TIMING });
    const one = ["POST initialize", "POST notifications/initialized", "POST tools/list", "DELETE"];
    await look();
    expect(log).toEqual(["POST server/discover", ...one]);
    await look();
    expect(log.slice(5)).toEqual(one);
  });
});
